# SPDX-License-Identifier: MIT
"""`kahriz gateway recompute`, `reading` and `total`: what the hydrologist does at a gateway."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import rich_click as click

from kahriz_gateway.cli_options import CLOCK, CONFIG, DATA
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.config import Options, StateError, exit_code, read_plan
from kahriz_gateway.intake.store import StoreError, read_store
from kahriz_gateway.outputs.refill_cli import moment_ms
from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records import totals
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.recompute import recompute as redo
from kahriz_water.plan import Plan
from kahriz_water.records import StaffReading
from kahriz_water.site import Point, Reach
from kahriz_water.strict import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])
REFUSALS = (ConfigError, StoreError, ClockError, StateError, sqlite3.Error)


def site_options(command: Command) -> Command:
    """The plan, the stores, and a simulated clock."""
    for option in (
        CLOCK,
        DATA,
        CONFIG,
    ):
        command = option(command)
    return command


at_option = click.option("--at", metavar="TIME", help="When, such as 2026-05-01T09:05; now if not.")


def refuse(error: Exception) -> NoReturn:
    if isinstance(error, sqlite3.Error):
        error = StoreError(
            f"the store: {error}; is the disk full, or may nothing be written there?"
        )
    click.echo(f"gateway: {error}", err=True)
    sys.exit(exit_code(error))


def plan_of(config: Path) -> Plan:
    return read_plan(Options(config, Path("data")))


def point_of(plan: Plan, ident: str) -> Point:
    point = plan.point(ident)
    if point is None:
        raise ConfigError("--point", "one of " + ", ".join(p.id for p in plan.points), ident)
    return point


def reach_of(plan: Plan, ident: str) -> Reach:
    reach = plan.reach(ident)
    if reach is None:
        raise ConfigError("--reach", "one of " + ", ".join(r.id for r in plan.reaches), ident)
    return reach


def village_of(data: Path) -> sqlite3.Connection:
    if not (data / "village.db").exists():
        raise StoreError(f"no village.db in {data}: import records or run the village first")
    return village_store.open_village(data / "village.db")


def moment(text: str | None, plan: Plan, clock_file: Path | None = None) -> int:
    """A day or a time, in the site's own zone when it names none; now for None."""
    if text is None:
        return open_clock(clock_file).now_ms()
    return moment_ms(plan, text)


def pair_of(option: str, expected: str, text: str) -> tuple[float, float]:
    """Two numbers with a comma between."""
    try:
        a, b = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(option, expected, text) from None
    return a, b


def day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="minutes")


@click.command()
@site_options
@click.option("--since", required=True, metavar="DATE", help="From this day or time on.")
@click.option("--point", "ident", help="At one point alone.")
def recompute(since: str, ident: str | None, **given: Any) -> None:
    """Redo history from the raw readings with today's plan, zeros and ratings."""
    try:
        plan = plan_of(given["config"])
        if ident is not None:
            point_of(plan, ident)
        readings = read_store(given["data"] / "readings.db")
        found = redo(village_of(given["data"]), readings, plan, moment(since, plan), ident)
    except REFUSALS as error:
        refuse(error)
    click.echo(f"{found.readings} readings interpreted again, {found.changed} values changed")


@click.group()
def reading() -> None:
    """Stages read by a person from the staff gauge."""


@reading.command(name="add")
@site_options
@click.option("--point", "ident", required=True, help="Which point of the plan.")
@click.option("--staff-cm", type=click.FloatRange(-100, 2000), required=True, help="As read.")
@click.option("--who", required=True, help="Who read it.")
@at_option
@click.option("--photo", type=click.Path(exists=True, dir_okay=False), help="A picture of it.")
@click.option("--note", default="", help="What else is worth knowing.")
def add_reading(
    ident: str,
    staff_cm: float,
    who: str,
    at: str | None,
    photo: str | None,
    note: str,
    **given: Any,
) -> None:
    """Keep one reading: it counts in totals as manual, and checks the sensor beside it."""
    try:
        plan = plan_of(given["config"])
        point_of(plan, ident)
        conn = village_of(given["data"])
        at_ms = moment(at, plan, given["clock_file"])
        kept = StaffReading(ident, at_ms, round(staff_cm / 100, 5), who, photo or "", note)
        kept = manual_store.keep(conn, plan, kept)
    except REFUSALS as error:
        refuse(error)
    click.echo(staff_words(kept))


@reading.command(name="list")
@site_options
def list_readings(**given: Any) -> None:
    """All readings of people, and how far the sensors were from them."""
    try:
        conn = village_of(given["data"])
        for kept in records_store.load(conn).staff:
            click.echo(staff_words(kept))
        for point, note in manual_store.instrument_notes(conn).items():
            click.echo(f"{point}: instrument {note['offset_mm']:+.0f} mm off the staff gauge")
    except REFUSALS as error:
        refuse(error)


def staff_words(kept: StaffReading) -> str:
    line = f"{kept.point}  {day(kept.at)}  {100 * kept.staff_m:.1f} cm, {kept.who}"
    offset_m = kept.offset_m(kept.zero_m)
    if offset_m is None:
        return f"{line}: not compared yet"
    off = f": beyond {1000 * manual_store.OFF_M:.0f} mm, look at zero, plate and sensor"
    late = off if abs(offset_m) > manual_store.OFF_M else ""
    return f"{line}: {1000 * offset_m:+.0f} mm against the sensor{late}"


@click.command()
@site_options
@click.option("--point", "ident", help="Which point of the plan.")
@click.option("--reach", "between", help="What a reach lost between its two points.")
@click.option("--from", "start", required=True, metavar="DATE", help="From this day or time on.")
@click.option("--to", "end", required=True, metavar="DATE", help="Before this day or time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def total(
    ident: str | None, between: str | None, start: str, end: str, as_json: bool, **given: Any
) -> None:
    """Volume of a span with its uncertainty, as a range where there were bounds."""
    if (ident is None) == (between is None):
        raise click.UsageError("give --point or --reach")
    try:
        plan = plan_of(given["config"])
        conn = village_of(given["data"])
        a, b = moment(start, plan), moment(end, plan)
        if b <= a:
            raise ConfigError("--to", "a time after --from", end)
        if between is not None:
            _tell_balance(totals.balance_of(conn, plan, reach_of(plan, between), a, b), as_json)
        found = totals.total_of(conn, point_of(plan, ident or ""), a, b)
    except REFUSALS as error:
        refuse(error)
    if as_json:
        click.echo(json.dumps(None if found is None else asdict(found)))
    elif found is None:
        click.echo(f"{ident}: no reading speaks for this span")
    else:
        most = "" if found.most_m3 == found.m3 else f" to {_most(found.most_m3)}"
        click.echo(
            f"{ident}: {found.m3:.1f}{most} m3 ± {found.u_m3:.1f} (systematic"
            f" {found.u_systematic_m3:.1f}), {found.coverage:.1%} of the time covered by"
            f" {found.readings} readings, {found.manual} of them manual"
        )
    sys.exit(1 if found is None else 0)


def _tell_balance(found: totals.Balance | None, as_json: bool) -> NoReturn:
    """Print a balance and end."""
    if as_json:
        click.echo(json.dumps(None if found is None else asdict(found)))
    elif found is None:
        click.echo("one of the two points says nothing of this span")
    else:
        word = "more than" if found.certain else "within"
        click.echo(
            f"lost {found.lost_m3:.1f} m3 of {found.above.m3:.1f}: {word} the ± {found.u_m3:.1f}"
            " that the two instruments do not know"
        )
    sys.exit(1 if found is None else 0)


def _most(most_m3: float | None) -> str:
    return "an unknown most" if most_m3 is None else f"{most_m3:.1f}"
