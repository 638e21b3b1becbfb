# SPDX-License-Identifier: MIT
"""`kahriz alarm`: the alarms of a kahriz, who has them, and every step of their lives.

Exit codes: 0 well, 2 wrong usage, 4 store, 6 the step cannot follow or there is no such alarm.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES, Alarm
from kahriz_alarms.loop.steps_cli import (
    IDENT,
    JSON,
    NOTE,
    WHO,
    Desk,
    ack_command,
    close_command,
    list_command,
    shelve_command,
)
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.alarms.cli_advisory import advisory
from kahriz_gateway.alarms.cli_base import open_book, refuse
from kahriz_gateway.alarms.cli_more import maintenance, stats, test
from kahriz_gateway.cli_net import NetGroup
from kahriz_gateway.cli_options import DATA
from kahriz_gateway.clock import SystemClock
from kahriz_gateway.config import EXIT_STORE


@click.group(cls=NetGroup)
def alarm() -> None:
    """The alarms of a kahriz: who has them, what was done, what the water says."""


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


DESK = Desk(
    command="kahriz alarm",
    data=DATA,
    open=open_book,
    refuse=refuse,
    take=alarm_hands.take,
    now_ms=SystemClock().now_ms,
    line=_line,
    full=_full,
)
STEPS = (
    list_command(
        DESK,
        "One line an alarm: number, state, kind, place, litres, who has it.",
        "no open alarm: that says nothing about nodes that are silent",
    ),
    ack_command(DESK, "Take an alarm: it is yours until the water has proved the repair."),
    shelve_command(DESK, "Keep an alarm quiet for a time, with a name and a reason."),
    close_command(
        DESK,
        "End an alarm by hand, without the water's proof; a closed one gets its cause.",
        required=True,
    ),
)
for each_command in (*STEPS, test, maintenance, stats, advisory):
    alarm.add_command(each_command)


@alarm.command()
@IDENT
@JSON
@DATA
def show(ident: int, as_json: bool, data: Path) -> None:
    """One alarm with every step of its life."""
    conn = open_book(data, read_only=True)
    one = DESK.known(conn, ident)
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
@IDENT
@WHO
@DATA
def coming(ident: int, who: str, data: Path) -> None:
    """Say that you are on the way."""
    DESK.step(data, ident, "coming", who)


@alarm.command()
@IDENT
@click.option("--cause", type=click.Choice(CAUSES), required=True, help="What it was.")
@NOTE
@WHO
@DATA
def fixed(ident: int, cause: str, note: str | None, who: str, data: Path) -> None:
    """Report it mended; it ends when the water has proved it, else it comes back to you."""
    DESK.step(data, ident, "fixed", who, note, {"cause": cause})
