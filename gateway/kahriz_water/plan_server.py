# SPDX-License-Identifier: MIT
"""The plan's [server]: the office's server that hears every few minutes that this gateway lives.

[server]
url = "https://office.example/"      # http:// only on this machine
every_minutes = 10
ca_file = "/etc/kahriz/office-ca.pem"  # an authority of one's own; else the machine's list
"""

from __future__ import annotations

import urllib.parse

from kahriz_water.site import OfficeServer
from kahriz_water.strict import ConfigError, Table

LOCAL = ("localhost", "::1")


def read_server(table: Table | None) -> OfficeServer | None:
    if table is None:
        return None
    url = table.text("url").rstrip("/")
    every = table.optional_number("every_minutes", 1, 60, "minutes")
    found = OfficeServer(url, 10.0 if every is None else every, table.optional_text("ca_file"))
    table.done()
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    local = host in LOCAL or host.startswith("127.")
    if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        expected = "an address that starts with https:// (http:// only on this machine)"
        raise ConfigError(table.at("url"), expected, url)
    return found
