# SPDX-License-Identifier: MIT
"""What the office wants, read from server.toml.

[influx]
url = "http://127.0.0.1:8086"
org = "kahriz"
keep_days = 0                  # 0: for ever
[grafana]                      # may be left out
url = "http://127.0.0.1:3000"
user = "admin"
[[gateway]]                    # one a kahriz; its name is the id of its site.toml
id = "banovshalar-gozlu"
lang = "az"                    # which dashboards its committee may look at
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kahriz_server.texts import LANGS
from kahriz_water.strict import ConfigError, Table, toml


@dataclass(frozen=True, slots=True)
class Gateway:
    """A kahriz whose gateway writes here."""

    id: str
    lang: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The whole of server.toml."""

    influx_url: str
    org: str
    bucket: str
    keep_days: int
    gateways: tuple[Gateway, ...]
    grafana_url: str | None = None
    grafana_user: str = "admin"


def read_wanted(path: Path) -> Wanted:
    """ConfigError names the key and what was expected."""
    try:
        top = Table(toml(path.read_text(encoding="utf-8"), str(path)), str(path))
    except OSError as error:
        raise ConfigError(str(path), f"a file that can be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"TOML ({error})") from error
    influx, grafana = top.table("influx"), top.optional_table("grafana")
    found = tuple(
        _done(t, Gateway(t.ident("id"), t.choice("lang", LANGS) if t.has("lang") else "az"))
        for t in top.tables("gateway")
    )
    names = [each.id for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}.gateway", "each id once", name)
    wanted = Wanted(
        influx_url=influx.text("url"),
        org=influx.text("org", "kahriz"),
        bucket=influx.text("bucket", "kahriz"),
        keep_days=influx.whole("keep_days", 0, 36_500, "days", 0),
        gateways=found,
        grafana_url=grafana.text("url") if grafana else None,
        grafana_user=grafana.text("user", "admin") if grafana else "admin",
    )
    influx.done()
    if grafana:
        grafana.done()
    top.done()
    return wanted


def _done(table: Table, made: Gateway) -> Gateway:
    table.raw("lang")
    table.done()
    return made
