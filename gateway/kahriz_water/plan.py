# SPDX-License-Identifier: MIT
"""site.toml, the plan of a kahriz, read into frozen dataclasses.

The plan says what is built and stays; what has a date (which sensor hung where, with which zero)
is a record in the store. `parse_plan(text)` refuses an unknown key, a number that cannot be in
the unit of its name, a reach to nowhere and a cycle, each with its path and what was expected.
"""

from __future__ import annotations

import itertools

from kahriz_water.holidays import read_holidays
from kahriz_water.plan_broker import read_broker
from kahriz_water.plan_page import read_page
from kahriz_water.plan_people import (
    read_access,
    read_alarms,
    read_person,
    read_rota,
    read_wifi,
    refuse_doubles,
)
from kahriz_water.plan_server import read_server
from kahriz_water.pulse_meter import PulseMeter
from kahriz_water.quality_limits import Limits, read_limits
from kahriz_water.radio_path import read_radio
from kahriz_water.site import (
    KINDS,
    LANGUAGES,
    SHORT,
    Csv,
    Influx,
    Name,
    Offtake,
    Plan,
    Point,
    Reach,
    Ups,
    Webhook,
)
from kahriz_water.strict import ConfigError, Table, toml
from kahriz_water.structures import STRUCTURES, Structure
from kahriz_water.ways import read_ways
from kahriz_wire import fields

RESERVED = ("gateway", "doctor", "broker")  # the gateway itself, its test node, its broker

__all__ = ["ConfigError", "Influx", "Name", "Plan", "Point", "Reach", "parse_plan"]


def parse_plan(text: str, source: str = "site.toml") -> Plan:
    """Read a plan from TOML text; `source` stands at the head of every complaint."""
    top = Table(toml(text, source), source)
    site = top.table("site")
    if site.boolean("unfilled", False):
        raise ConfigError(
            site.at("unfilled"),
            "a filled plan: this is a template; put in the measured numbers and the names, "
            "then delete this line",
        )
    points = tuple(_point(t) for t in top.tables("point"))
    if not points:
        raise ConfigError(f"{source}.point", "at least one [[point]]")
    reaches = tuple(_reach(t, points) for t in top.tables("reach"))
    people = tuple(read_person(t) for t in top.tables("person"))
    plan = Plan(
        id=site.ident("id"),
        name=read_name(site),
        district=site.text("district"),
        timezone=site.text("timezone", "Asia/Baku"),
        short=_short(site),
        ask=site.optional_text("ask") or "",
        latitude_deg=site.optional_number("latitude_deg", -90, 90, "degrees north"),
        longitude_deg=site.optional_number("longitude_deg", -180, 180, "degrees east"),
        points=points,
        reaches=reaches,
        offtakes=tuple(_offtake(t, points, reaches) for t in top.tables("offtake")),
        broker=read_broker(top.optional_table("broker")),
        page=read_page(top.optional_table("page")),
        influx=read_influx(top.optional_table("influx")),
        csv=_csv(top.optional_table("csv")),
        server=read_server(top.optional_table("server")),
        webhooks=tuple(read_webhook(t) for t in top.tables("webhook")),
        ups=_ups(top.optional_table("ups")),
        people=people,
        rota=tuple(read_rota(t, people) for t in top.tables("rota")),
        alarms=read_alarms(top.optional_table("alarms")),
        access=read_access(top.optional_table("access"), tuple(p.id for p in points)),
        wifis=tuple(read_wifi(t, points) for t in top.tables("wifi")),
        radio=read_radio(top.optional_table("radio"), tuple(p.id for p in points)),
        ways=read_ways(top),
        holidays=read_holidays(top.optional_table("use")),
    )
    site.done()
    top.done()
    refuse_doubles([p.id for p in points], f"{source}.point")
    refuse_doubles([r.id for r in reaches], f"{source}.reach")
    refuse_doubles([p.id for p in people], f"{source}.person")
    refuse_doubles([w.id for w in plan.wifis], f"{source}.wifi")
    _refuse_cycle(reaches, f"{source}.reach")
    return plan


def read_name(table: Table, key: str = "name") -> Name:
    names = table.table(key)
    name = Name(*(names.text(language) for language in LANGUAGES))
    names.done()
    return name


def _point(table: Table) -> Point:
    ident = table.ident("id")
    kind = table.choice("kind", KINDS)
    point = Point(
        id=ident,
        name=read_name(table),
        short=_short(table),
        kind=kind,
        node=table.ident("node") if table.has("node") else ident,
        dt_s=table.whole("dt_s", 10, 86400, "seconds", 300),
        batch=table.whole("batch", 1, 288, "rows", 12),
        structure=_structure(table.optional_table("structure")),
        level_volume=_level_volume(table),
        spill_m=table.optional_number("spill_m", 0.05, 20, "metres over the floor"),
        meter=_meter(table.optional_table("meter")),
        quality=_quality(table.optional_table("quality")),
        landmark=read_name(table, "landmark") if table.has("landmark") else None,
    )
    for reserved in RESERVED:
        if reserved in (ident, point.node):
            raise ConfigError(table.at("id"), f"another id: {reserved!r} is reserved", ident)
    if kind == "weir" and point.structure is None:
        raise ConfigError(table.at("structure"), "a structure, because kind is weir")
    table.raw("node")
    table.raw("landmark")
    table.done()
    return point


def _short(table: Table) -> str | None:
    short = table.optional_text("short")
    if short is not None and len(short) > SHORT:
        raise ConfigError(table.at("short"), f"at most {SHORT} characters, for an SMS", short)
    return short


def _structure(table: Table | None) -> Structure | None:
    if table is None:
        return None
    structure = STRUCTURES[table.choice("kind", tuple(STRUCTURES))].from_table(table)
    table.done()
    return structure


def _meter(table: Table | None) -> PulseMeter | None:
    if table is None:
        return None
    meter = PulseMeter.from_table(table)
    table.done()
    return meter


def _quality(table: Table | None) -> tuple[tuple[str, Limits], ...]:
    """[point.quality.distance_m]: the site's own limits, by quantity."""
    if table is None:
        return ()
    found = tuple(
        (name, read_limits(name, table.table(name))) for name in fields.FIELDS if table.has(name)
    )
    table.done()
    return found


def _level_volume(table: Table) -> tuple[tuple[float, float], ...]:
    pairs = table.raw("level_volume")
    if pairs is None:
        return ()
    path = table.at("level_volume")
    expected = "pairs [level in m, volume in m3], both rising, at least two"
    try:
        rows = tuple((float(level), float(volume)) for level, volume in pairs)
    except (TypeError, ValueError) as error:
        raise ConfigError(path, expected, pairs) from error
    steps = itertools.pairwise(rows)
    if len(rows) < 2 or any(b[0] <= a[0] or b[1] <= a[1] for a, b in steps):
        raise ConfigError(path, expected, pairs)
    return rows


def _reach(table: Table, points: tuple[Point, ...]) -> Reach:
    reach = Reach(
        id=table.ident("id"),
        name=read_name(table),
        short=_short(table),
        from_=_known_point(table, "from", points),
        to=_known_point(table, "to", points),
        length_m=table.number("length_m", 5, 50_000, "metres"),
    )
    table.done()
    return reach


def _known_point(table: Table, key: str, points: tuple[Point, ...]) -> str:
    return table.choice(key, tuple(p.id for p in points))


def _offtake(table: Table, points: tuple[Point, ...], reaches: tuple[Reach, ...]) -> Offtake:
    offtake = Offtake(
        id=table.ident("id"),
        name=read_name(table),
        reach=table.choice("reach", tuple(r.id for r in reaches)),
        point=_known_point(table, "point", points) if table.has("point") else None,
    )
    table.raw("point")
    table.done()
    return offtake


def read_influx(table: Table | None) -> Influx | None:
    if table is None:
        return None
    influx = Influx(
        url=_url(table),
        bucket=table.text("bucket", "kahriz"),
        org=table.text("org", "kahriz"),
        token_file=table.optional_text("token_file"),
        user=table.optional_text("user"),
        password_file=table.optional_text("password_file"),
    )
    table.done()
    return influx


def _csv(table: Table | None) -> Csv | None:
    if table is None:
        return None
    default = Csv()
    folder = table.text("folder", default.folder)
    csv = Csv(folder, table.choice("a", ("day", "month")) if table.has("a") else default.a)
    table.raw("a")
    table.done()
    return csv


def read_webhook(table: Table) -> Webhook:
    webhook = Webhook(_url(table), table.optional_text("secret_file"))
    table.done()
    return webhook


def _ups(table: Table | None) -> Ups | None:
    if table is None:
        return None
    ups = Ups(
        file=table.text("file"),
        lost=table.text("lost", "0"),
        hours=table.number("hours", 0.1, 1000, "hours") if table.has("hours") else 8.0,
        stop_hours=table.number("stop_hours", 0.05, 100, "hours")
        if table.has("stop_hours")
        else 0.5,
    )
    table.raw("hours")
    table.raw("stop_hours")
    table.done()
    return ups


def _url(table: Table) -> str:
    url = table.text("url")
    if not url.startswith(("http://", "https://")):
        raise ConfigError(table.at("url"), "an address that starts with http:// or https://", url)
    return url


def _refuse_cycle(reaches: tuple[Reach, ...], path: str) -> None:
    """Water runs down: following the reaches never leads back."""
    below: dict[str, list[str]] = {}
    for reach in reaches:
        below.setdefault(reach.from_, []).append(reach.to)
    for start in below:
        trail = [start]
        seen: set[str] = set()
        while trail:
            here = trail.pop()
            for to in below.get(here, []):
                if to == start:
                    raise ConfigError(path, "water that never runs in a circle", start)
                if to not in seen:
                    seen.add(to)
                    trail.append(to)
