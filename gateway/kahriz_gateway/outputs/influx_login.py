# SPDX-License-Identifier: MIT
"""How to log in to an InfluxDB: token (2.x, 3) or user:password (1.x), never in site.toml."""

import os
from urllib.parse import unquote, urlsplit, urlunsplit

from kahriz_alarms.service import secret_file
from kahriz_water.plan import ConfigError
from kahriz_water.site import Influx

TOKEN_VARIABLE = "KAHRIZ_INFLUX_TOKEN"


def login(settings: Influx) -> tuple[str, str, bool]:
    """(url, secret, basic): a file first, then http://user:password@…, then the environment."""
    parts = urlsplit(settings.url)
    host = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, host, parts.path, "", "")).rstrip("/")
    if settings.token_file:
        secret = _secret(settings.token_file, "influx.token_file")
        return url, secret, ":" in secret  # user:password of 1.x; no token has a colon
    user = settings.user or unquote(parts.username or "")
    if user:
        password = unquote(parts.password or "")
        if settings.password_file:
            password = _secret(settings.password_file, "influx.password_file")
        return url, f"{user}:{password}", True
    token = os.environ.get(TOKEN_VARIABLE, "")
    return url, token or ":", not token or ":" in token


def _secret(name: str, path_in_plan: str) -> str:
    """The text of a secret file."""
    try:
        return secret_file.read(name).decode()
    except (ConfigError, UnicodeDecodeError) as error:
        wanted = "a readable file with the secret alone in it"
        raise ConfigError(path_in_plan, wanted, name) from error
