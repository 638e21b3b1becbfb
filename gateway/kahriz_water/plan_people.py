# SPDX-License-Identifier: MIT
"""The people of a plan: [[person]], [[rota]], [alarms], [access.<point>] and [[wifi]].

[[person]]
id = "ali"
name = "Əli Məmmədov"
role = "crew"                       # committee, crew, technician, office
language = "az"
channels = ["sms", "call"]          # in this order; call rings only when it is urgent
phone = "+994501234567"
quiet = ["22:00", "06:00"]          # nothing that can wait

[[rota]]
days = ["mon", "tue", "wed"]
from = "06:00"
to = "06:00"                        # the same: round the clock
people = ["ali", "vali"]

[access.outlet]
path = { az = "…", ru = "…", en = "By the west track only" }
cleared_by = "ANAMA, list 214"
cleared_on = 2026-03-01
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from kahriz_water.name import LANGUAGES, Name
from kahriz_water.people import (
    DAYS,
    PERSONAL,
    ROLES,
    Access,
    AccessPoint,
    AlarmRules,
    Duty,
    Person,
)
from kahriz_water.strict import ConfigError, Table

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164: at most 15 digits
EMAIL = re.compile(r"[^@\s<>\",;]+@[^@\s<>\",;]+\.[^@\s<>\",;]+")
TELEGRAM = re.compile(r"-?[0-9]{1,20}")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
WAY = {"call": "phone", "sms": "phone", "telegram": "telegram", "email": "email"}


def read_person(table: Table) -> Person:
    """One [[person]]; every channel needs the address it goes to."""
    person = Person(
        id=table.ident("id"),
        name=table.text("name"),
        role=table.choice("role", ROLES),
        language=table.choice("language", LANGUAGES),
        channels=_several(table, "channels", PERSONAL),
        phone=read_phone(table, "phone"),
        email=_matched(table, "email", EMAIL, "an address such as ali@example.az"),
        telegram=_matched(table, "telegram", TELEGRAM, "a chat id: digits"),
        ascii=table.boolean("ascii", False),
        quiet=_quiet(table),
    )
    for channel in person.channels:
        if getattr(person, WAY[channel]) is None:
            raise ConfigError(table.at(WAY[channel]), f"an address for the channel {channel}")
    table.done()
    return person


def read_phone(table: Table, key: str) -> str | None:
    return _matched(table, key, PHONE, "a number such as +994501234567")


def read_rota(table: Table, people: Iterable[Person]) -> Duty:
    duty = Duty(
        days=_several(table, "days", DAYS) if table.has("days") else DAYS,
        from_=_time(table, "from", "00:00"),
        to=_time(table, "to", "00:00"),
        people=_several(table, "people", tuple(p.id for p in people)),
    )
    table.raw("days")
    table.done()
    return duty


def read_alarms(table: Table | None) -> AlarmRules:
    if table is None:
        return AlarmRules()
    usual = AlarmRules()

    def number(key: str, low: float, high: float, unit: str, default: float) -> float:
        found = table.optional_number(key, low, high, unit)
        return default if found is None else found

    first_h = number("ask_again_hours", 0.25, 24, "hours", usual.ask_again_hours)
    rules = AlarmRules(
        escalate_minutes=number("escalate_minutes", 1, 1440, "minutes", usual.escalate_minutes),
        routine_hours=number("routine_hours", 0.25, 720, "hours", usual.routine_hours),
        ask_again_hours=first_h,
        ask_again_most_hours=number(
            "ask_again_most_hours", first_h, 24, "hours", usual.ask_again_most_hours
        ),
        repair_days=number("repair_days", 0.05, 365, "days", usual.repair_days),
        proof_hours=number("proof_hours", 24, 24 * 60, "hours", usual.proof_hours),
        dead_band=number("dead_band", 0, 1, "parts of one", usual.dead_band),
        routine_a_day=table.whole("routine_a_day", 1, 24, "messages", usual.routine_a_day),
        gather_minutes=number("gather_minutes", 0, 120, "minutes", usual.gather_minutes),
        on_delay_minutes=_minutes(table.optional_table("on_delay_minutes")),
        off_delay_minutes=_minutes(table.optional_table("off_delay_minutes")),
        public_url=_url(table),
        link_key_file=table.optional_text("link_key_file"),
        sign_of_life=_time(table, "sign_of_life", "00:00") if table.has("sign_of_life") else None,
        advisory_days=number("advisory_days", 0.5, 60, "days", usual.advisory_days),
    )
    table.raw("sign_of_life")
    table.done()
    return rules


def read_access(table: Table | None, points: tuple[str, ...]) -> tuple[Access, ...]:
    """[access.<point>]: without it no crew message names the way to that point."""
    if table is None:
        return ()
    found = []
    for point in points:
        if table.has(point):
            one = table.table(point)
            names = one.table("path")
            path = Name(*(names.text(language) for language in LANGUAGES))
            names.done()
            found.append(Access(point, path, one.text("cleared_by"), read_day(one, "cleared_on")))
            one.done()
    table.done()
    return tuple(found)


def read_wifi(table: Table, points: Iterable[object]) -> AccessPoint:
    """[[wifi]]: an access point, and the nodes that speak through it."""
    nodes = tuple(dict.fromkeys(str(getattr(p, "node")) for p in points))  # noqa: B009
    names = table.table("name")
    name = Name(*(names.text(language) for language in LANGUAGES))
    names.done()
    found = AccessPoint(table.ident("id"), name, _several(table, "nodes", nodes))
    table.done()
    return found


def refuse_doubles(idents: list[str], path: str) -> None:
    for ident in idents:
        if idents.count(ident) > 1:
            raise ConfigError(path, "each id once", ident)


def _several(table: Table, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    found = table.raw(key)
    expected = "a list out of " + ", ".join(choices)
    if not isinstance(found, list) or not found or any(x not in choices for x in found):
        raise ConfigError(table.at(key), expected, found)
    refuse_doubles(found, table.at(key))
    return tuple(found)


def _matched(table: Table, key: str, form: re.Pattern[str], expected: str) -> str | None:
    found = table.optional_text(key)
    if found is not None and form.fullmatch(found) is None:
        raise ConfigError(table.at(key), expected, found)
    return found


def _time(table: Table, key: str, default: str) -> str:
    found = table.text(key, default)
    if TIME.fullmatch(found) is None:
        raise ConfigError(table.at(key), "a time of day such as 06:00", found)
    return found


def _quiet(table: Table) -> tuple[str, str] | None:
    found = table.raw("quiet")
    if found is None:
        return None
    times = found if isinstance(found, list) else []
    if len(times) != 2 or any(not isinstance(t, str) or not TIME.fullmatch(t) for t in times):
        raise ConfigError(table.at("quiet"), 'two times of day such as ["22:00", "06:00"]', found)
    if times[0] == times[1]:
        raise ConfigError(table.at("quiet"), "a span that leaves time to be told", found)
    return times[0], times[1]


def read_day(table: Table, key: str) -> date:
    found = table.raw(key)
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ConfigError(table.at(key), "a day such as 2026-03-01, without quotes", found)
    return found


def _minutes(table: Table | None) -> dict[str, float]:
    """Minutes by kind of alarm; the kinds are the detectors' and not known here."""
    if table is None:
        return {}
    found = {kind: table.number(kind, 0, 10_080, "minutes") for kind in table.keys()}  # noqa: SIM118
    table.done()
    return found


def _url(table: Table) -> str | None:
    url = table.optional_text("public_url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise ConfigError(table.at("public_url"), "an address that starts with https://", url)
    return None if url is None else url.rstrip("/")
