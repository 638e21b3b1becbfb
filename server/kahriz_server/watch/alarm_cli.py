# SPDX-License-Identifier: MIT
"""`kahriz server alarm`: the office's alarms from its own command line."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES, Alarm
from kahriz_alarms.loop import book, findings
from kahriz_server.watch import store
from kahriz_server.watch.cli import DATA, EXIT_STATE, EXIT_STORE, open_store, refuse
from kahriz_server.watch.clock import OfficeClock

HOUR_MS = 3_600_000
MOST_HOURS = 14 * 24
TELLS = {"log": ("closed",)}
WHO = click.option("--who", required=True, metavar="NAME", help="Who says so.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")


@click.group()
def alarm() -> None:
    """Which gateway is in trouble, who has it; take it, end it."""


@alarm.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@JSON
@DATA
def list_(everything: bool, as_json: bool, data: Path) -> None:
    """One line an alarm: number, state, kind, place, what is known, who has it."""
    rows = open_store(data).execute("SELECT * FROM alarm ORDER BY raised, id")
    found = [one for row in rows if (one := book.alarm_of(row)).open or everything]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no open alarm: that says nothing about gateways that are not registered")


@alarm.command()
@click.argument("ident", type=int)
@WHO
@DATA
def ack(ident: int, who: str, data: Path) -> None:
    """Take an alarm."""
    _take(data, ident, "acknowledged", who)


@alarm.command()
@click.argument("ident", type=int)
@click.option("--hours", type=click.FloatRange(0.1, MOST_HOURS), required=True)
@click.option("--why", required=True, metavar="WORDS", help="The reason.")
@WHO
@DATA
def shelve(ident: int, hours: float, why: str, who: str, data: Path) -> None:
    """Keep it quiet for a time, with a name and a reason."""
    until = OfficeClock().now_ms() + round(hours * HOUR_MS)
    _take(data, ident, "shelved", who, why, {"until": until})


@alarm.command()
@click.argument("ident", type=int)
@click.option("--cause", type=click.Choice(CAUSES), default="other", show_default=True)
@click.option("--note", metavar="WORDS", help="In your own words.")
@WHO
@DATA
def close(ident: int, cause: str, note: str | None, who: str, data: Path) -> None:
    """End it by hand; what lasts rings again after a day."""
    _take(data, ident, "closed", who, note, {"cause": cause})


def _take(
    data: Path,
    ident: int,
    what: str,
    who: str,
    note: str | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    conn = open_store(data)
    now = OfficeClock().now_ms()
    try:
        with store.transaction(conn):
            one = book.load(conn, ident)
            if one is None:
                refuse(f"no alarm {ident}: see `kahriz server alarm list --all`", EXIT_STATE)
            after = findings.step(conn, one, what, now, TELLS, now, who, note, more)
    except states.StateError as error:
        refuse(str(error), EXIT_STATE)
    except sqlite3.Error as error:
        refuse(str(error), EXIT_STORE)
    click.echo(_line(after))


def _line(one: Alarm) -> str:
    says = f"  {one.evidence['says']}" if one.evidence.get("says") else ""
    who = f"  {one.owner} has it" if one.owner else ""
    quiet = f"  quiet ({one.shelved_by}: {one.shelved_why})" if one.shelved_until else ""
    below = f"  because of {one.parent}" if one.parent else ""
    return f"{one.id}  {one.state}  {one.kind} {one.place}{says}{who}{quiet}{below}"
