# SPDX-License-Identifier: MIT
"""`kahriz alarm`: the alarms of a kahriz, who has them, and every step of their lives.

Exit codes: 0 well, 2 wrong usage, 4 store, 6 the step cannot follow or there is no such alarm.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES, Alarm
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.alarms.cli_advisory import advisory
from kahriz_gateway.alarms.cli_base import DATA, JSON, NOTE, WHO, known, open_book, refuse
from kahriz_gateway.alarms.cli_more import maintenance, stats, test
from kahriz_gateway.alarms.hands import SHELF_HOURS
from kahriz_gateway.cli_net import NetGroup
from kahriz_gateway.clock import ClockError, SystemClock
from kahriz_gateway.config import EXIT_STATE, EXIT_STORE

HOUR_MS = 3_600_000


@click.group(cls=NetGroup)
def alarm() -> None:
    """The alarms of a kahriz: who has them, what was done, what the water says."""


for more in (test, maintenance, stats, advisory):
    alarm.add_command(more)


@alarm.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@JSON
@DATA
def list_(everything: bool, as_json: bool, data: Path) -> None:
    """One line an alarm: number, state, kind, place, litres, who has it."""
    conn = open_book(data, read_only=True)
    where = "" if everything else " WHERE closed IS NULL"
    found = [
        alarm_book.alarm_of(row)
        for row in conn.execute(f"SELECT * FROM alarm{where} ORDER BY raised, id")  # noqa: S608
    ]
    if as_json:
        click.echo(json.dumps([_full(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no open alarm: that says nothing about nodes that are silent")


@alarm.command()
@click.argument("ident", type=int)
@JSON
@DATA
def show(ident: int, as_json: bool, data: Path) -> None:
    """One alarm with every step of its life."""
    conn = open_book(data, read_only=True)
    one = known(conn, ident)
    told = alarm_book.steps(conn, ident)
    if as_json:
        body = {**_full(one), "steps": [asdict(step) for step in told]}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(_line(one))
    for step in told:
        words = [str(step.stored), step.what, step.who or "", step.note or ""]
        click.echo("\t".join(words).rstrip())


@alarm.command()
@DATA
def events(data: Path) -> None:
    """Every step of every alarm, a JSON object a line; makes them all anew and compares."""
    conn = open_book(data, read_only=True)
    for row in conn.execute("SELECT * FROM alarm_event ORDER BY id"):
        step = asdict(alarm_book.step_of(row))
        click.echo(json.dumps({"id": row["id"], "alarm": row["alarm"], **step}))
    kept = {r["id"]: alarm_book.alarm_of(r) for r in conn.execute("SELECT * FROM alarm")}
    if alarm_book.rebuilt(conn) != kept:
        refuse("the steps do not make the alarms that are stored", EXIT_STORE)


@alarm.command()
@click.argument("ident", type=int)
@WHO
@DATA
def ack(ident: int, who: str, data: Path) -> None:
    """Take an alarm: it is yours until the water has proved the repair."""
    _take(data, ident, "acknowledged", who)


@alarm.command()
@click.argument("ident", type=int)
@WHO
@DATA
def coming(ident: int, who: str, data: Path) -> None:
    """Say that you are on the way."""
    _take(data, ident, "coming", who)


@alarm.command()
@click.argument("ident", type=int)
@click.option("--cause", type=click.Choice(CAUSES), required=True, help="What it was.")
@NOTE
@WHO
@DATA
def fixed(ident: int, cause: str, note: str | None, who: str, data: Path) -> None:
    """Report it mended; it ends when the water has proved it, else it comes back to you."""
    _take(data, ident, "fixed", who, note, {"cause": cause})


@alarm.command()
@click.argument("ident", type=int)
@click.option("--hours", type=click.FloatRange(0.1, SHELF_HOURS), required=True)
@click.option("--why", required=True, metavar="WORDS", help="The reason.")
@WHO
@DATA
def shelve(ident: int, hours: float, why: str, who: str, data: Path) -> None:
    """Keep an alarm quiet for a time, with a name and a reason."""
    until = SystemClock().now_ms() + round(hours * HOUR_MS)
    _take(data, ident, "shelved", who, why, {"until": until})


@alarm.command()
@click.argument("ident", type=int)
@click.option("--cause", type=click.Choice(CAUSES), required=True, help="What it was.")
@NOTE
@WHO
@DATA
def close(ident: int, cause: str, note: str | None, who: str, data: Path) -> None:
    """End an alarm by hand, without the water's proof; a closed one gets its cause."""
    _take(data, ident, "closed", who, note, {"cause": cause})


def _take(
    data: Path,
    ident: int,
    what: str,
    who: str,
    note: str | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    conn = open_book(data, read_only=False)
    try:
        known(conn, ident)
        after = alarm_hands.take(conn, ident, what, who, SystemClock().now_ms(), note, more)
    except states.StateError as error:
        refuse(str(error), EXIT_STATE)
    except (ClockError, sqlite3.Error) as error:
        refuse(str(error), EXIT_STORE)
    click.echo(_line(after))


def _full(one: Alarm) -> dict[str, Any]:
    return {**asdict(one), "hours_to_repair": alarm_stats.hours_to_repair(one)}


def _line(one: Alarm) -> str:
    size = "" if one.lps is None else f"  {one.lps:.1f} L/s"
    who = f"  {one.owner} has it" if one.owner else ""
    proof = "  not proved by the water" if one.state == states.CLOSED and not one.proved else ""
    shelf = f"  quiet ({one.shelved_by}: {one.shelved_why})" if one.shelved_until else ""
    cause = f"  cause: {one.cause}" if one.cause else ""
    silent = "  last known: a sensor is silent" if one.silent_since and one.open else ""
    head = f"{one.id}  {one.state}  {one.kind} {one.place}"
    return head + size + who + cause + silent + shelf + proof
