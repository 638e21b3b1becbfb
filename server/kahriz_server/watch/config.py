# SPDX-License-Identifier: MIT
"""office.toml: who is told at the office, by which ways, and when a gateway counts as silent.

[office]
id = "agdam-office"
name = { az = "Ağdam ofisi", ru = "Контора Агдама", en = "Aghdam office" }
[listen]                       # heartbeats of the gateways; the loopback behind nginx, or TLS here
host = "127.0.0.1"
port = 8420
cert = "/etc/kahriz/office.pem"
key = "/etc/kahriz/office.key"
plain = false                  # true: beyond the loopback without TLS, in a container's network
[influx]                       # may be left out: then only heartbeats are watched
url = "http://127.0.0.1:8086"
token_file = "influx-token"
[watch]
silent_hours = 2
data_hours = 6                 # without a reading
clock_minutes = 5
store_days = 30                # a gateway's disk that is full sooner
oldest = "0.1"                 # programs before it are old; else those before the server's own

[[person]], [[rota]], [alarms], [email], [telegram], [modem], [[webhook]], [[apprise]]: as in
site.toml (docs/site.md). People of an office have the role office or technician.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from kahriz_water.people import AlarmRules
from kahriz_water.plan import read_influx, read_name, read_webhook
from kahriz_water.plan_people import read_alarms, read_person, read_rota, refuse_doubles
from kahriz_water.site import Influx, Plan
from kahriz_water.strict import ConfigError, Table, toml
from kahriz_water.ways import read_ways

PORT = 8420
RELEASE = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")
ROUTINE_A_DAY = 12  # an office reads more messages than a village

Release = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where heartbeats arrive."""

    host: str = "127.0.0.1"
    port: int = PORT
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """[watch]: when something is worth a person's time."""

    silent_hours: float = 2.0
    data_hours: float = 6.0
    clock_minutes: float = 5.0
    store_days: float = 30.0
    oldest: Release = (0, 0)


@dataclass(frozen=True, slots=True)
class Office:
    """The whole of office.toml; `plan` is what the alarm loop needs of it."""

    plan: Plan
    listen: Listen
    rules: Rules
    influx: Influx | None


def read_office(path: Path) -> Office:
    """ConfigError names the key and what was expected."""
    try:
        top = Table(toml(path.read_text(encoding="utf-8"), str(path)), str(path))
    except OSError as error:
        raise ConfigError(str(path), f"a file that can be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"TOML ({error})") from error
    office = top.table("office")
    people = tuple(read_person(table) for table in top.tables("person"))
    refuse_doubles([person.id for person in people], f"{path}.person")
    plan = Plan(
        id=office.ident("id"),
        name=read_name(office),
        district="",
        timezone=office.text("timezone", "Asia/Baku"),
        points=(),
        webhooks=tuple(read_webhook(table) for table in top.tables("webhook")),
        people=people,
        rota=tuple(read_rota(table, people) for table in top.tables("rota")),
        ways=read_ways(top),
    )
    plan = replace(plan, alarms=_alarms(top.optional_table("alarms")))
    made = Office(
        plan,
        _listen(top.optional_table("listen")),
        _rules(top.optional_table("watch")),
        read_influx(top.optional_table("influx")),
    )
    office.done()
    top.done()
    return made


def release(text: str) -> Release | None:
    """The first two numbers of a version.

    >>> release("0.12.3rc1"), release("soon")
    ((0, 12), None)
    """
    found = RELEASE.match(text)
    return None if found is None else (int(found[1]), int(found[2]))


def _alarms(table: Table | None) -> AlarmRules:
    own = table is not None and table.has("routine_a_day")
    rules = read_alarms(table)
    return rules if own else replace(rules, routine_a_day=ROUTINE_A_DAY)


def _listen(table: Table | None) -> Listen:
    if table is None:
        return Listen()
    found = Listen(
        table.text("host", "127.0.0.1"),
        table.whole("port", 0, 65535, "a TCP port", PORT),
        table.optional_text("cert"),
        table.optional_text("key"),
    )
    plain = table.boolean("plain", False)
    table.done()
    if (found.cert is None) != (found.key is None):
        raise ConfigError(table.at("key"), "cert and key together, or neither")
    local = found.host in ("localhost", "::1") or found.host.startswith("127.")
    if found.cert is None and not local and not plain:
        raise ConfigError(
            table.at("cert"),
            "cert and key, or a host on this machine behind nginx, or plain = true",
            found.host,
        )
    return found


def _rules(table: Table | None) -> Rules:
    own = release(version("kahriz-monitor")) or (0, 0)
    if table is None:
        return Rules(oldest=own)

    def number(key: str, low: float, high: float, unit: str, usual: float) -> float:
        found = table.optional_number(key, low, high, unit)
        return usual if found is None else found

    usual = Rules()
    oldest = table.optional_text("oldest")
    least = own if oldest is None else release(oldest)
    if least is None:
        raise ConfigError(table.at("oldest"), 'a version such as "0.2"', oldest)
    rules = Rules(
        number("silent_hours", 0.5, 168, "hours", usual.silent_hours),
        number("data_hours", 1, 168, "hours", usual.data_hours),
        number("clock_minutes", 1, 1440, "minutes", usual.clock_minutes),
        number("store_days", 1, 365, "days", usual.store_days),
        least,
    )
    table.done()
    return rules
