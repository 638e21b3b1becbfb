# SPDX-License-Identifier: MIT
"""The plan's [broker]: this machine's alone, or TLS, or a plan that says that it knows better."""

from __future__ import annotations

from kahriz_water.site import Broker, Tls
from kahriz_water.strict import ConfigError, Table


def read_broker(table: Table | None) -> Broker:
    if table is None:
        return Broker()
    tls = _tls(table.optional_table("tls"))
    broker = Broker(
        table.text("host", "127.0.0.1"),
        table.whole("port", 1, 65535, "a TCP port", 1883 if tls is None else 8883),
        tls,
        table.boolean("plain", False),
    )
    table.done()
    refuse_exposed(broker, table.at("tls"))
    return broker


def _tls(table: Table | None) -> Tls | None:
    if table is None:
        return None
    default = Tls()
    tls = Tls(
        table.text("ca", default.ca),
        table.text("cert", default.cert),
        table.text("key", default.key),
    )
    table.done()
    return tls


def refuse_exposed(broker: Broker, path: str) -> None:
    """A broker beyond this machine is spoken to by TLS, or the plan says that it knows better."""
    if broker.exposed:
        raise ConfigError(
            path,
            "a table [broker.tls] (`kahriz site ca new` makes the files), because the broker is "
            "beyond this machine; or plain = true if everybody in that network may forge readings",
            f"{broker.host}:{broker.port}",
        )
