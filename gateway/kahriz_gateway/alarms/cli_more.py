# SPDX-License-Identifier: MIT
"""`kahriz alarm test`, `maintenance` and `stats`."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import rich_click as click

from kahriz_alarms import messages
from kahriz_alarms.loop.steps_cli import JSON, WHO, WHY
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import modem as alarm_modem
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.alarms import weekly_test as alarm_test
from kahriz_gateway.alarms.cli_base import open_book, plan_of, refuse
from kahriz_gateway.alarms.hands import TELLS
from kahriz_gateway.cli_options import CONFIG, DATA
from kahriz_gateway.clock import SystemClock
from kahriz_gateway.config import EXIT_STATE
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store

HOUR_MS = 3_600_000
MOST_HOURS = 90 * 24
LOOK_S = 0.2
ENDED = ("sent", "failed", "dropped")


@click.command()
@click.option("--person", metavar="ID", help="One person of the plan; without it everybody.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=120.0,
    show_default=True,
    help="Seconds to wait for it.",
)
@CONFIG
@DATA
def test(person: str | None, wait: float, config: Path, data: Path) -> None:
    """Send a test message by every way that is set up, and wait for what became of it."""
    plan = plan_of(config)
    people = [p for p in plan.people if person in (None, p.id)]
    if not people:
        known = ", ".join(p.id for p in plan.people) or "nobody"
        refuse(f"nobody to send to in {config}: it knows {known}", EXIT_STATE)
    conn = open_book(data, read_only=False)
    with village_store.transaction(conn):
        made = alarm_test.put(conn, plan, people, SystemClock().now_ms())
    if not made:
        refuse("no way for text is set up for them: see `kahriz gateway check`", EXIT_STATE)
    if not _outcome(conn, made, wait):
        raise SystemExit(EXIT_STATE)


def _outcome(conn: sqlite3.Connection, made: list[int], wait_s: float) -> bool:
    """Tell each message's end as it comes; whether all were sent."""
    end, left, well = time.monotonic() + wait_s, set(made), True
    while left and time.monotonic() < end:
        for ident in sorted(left):
            row = conn.execute("SELECT * FROM message WHERE id=?", (ident,)).fetchone()
            if row["state"] in ENDED:
                left.discard(ident)
                well = well and row["state"] == "sent"
                click.echo(f"{row['person']} by {row['channel']}: {_says(conn, row)}")
        time.sleep(LOOK_S)
    for ident in sorted(left):
        row = conn.execute("SELECT * FROM message WHERE id=?", (ident,)).fetchone()
        why = _last_error(conn, ident) or "is the village running?"
        click.echo(f"{row['person']} by {row['channel']}: not sent within {wait_s:.0f} s: {why}")
    return well and not left


def _says(conn: sqlite3.Connection, row: sqlite3.Row) -> str:
    if row["state"] == "sent":
        return "sent; ask whether it arrived"
    return f"{row['state']}: {_last_error(conn, row['id']) or row['error'] or 'no way was left'}"


def _last_error(conn: sqlite3.Connection, message: int) -> str | None:
    row = conn.execute(
        "SELECT error FROM attempt WHERE message=? AND error IS NOT NULL ORDER BY n DESC LIMIT 1",
        (message,),
    ).fetchone()
    return None if row is None else str(row[0])


@click.command()
@JSON
@DATA
def stats(as_json: bool, data: Path) -> None:
    """Time to repair, rings for nothing, and messages sent, for the kahriz and by kind."""
    conn = open_book(data, read_only=True)
    found = alarm_stats.stats(conn, SystemClock().now_ms())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, row in {"all": found["kahriz"], **found["kinds"]}.items():
        hours = row["median_hours_to_repair"]
        took = "no proved repair" if hours is None else f"median {hours:.1f} h to the proof"
        click.echo(
            f"{name}: {row['alarms']} alarms, {row['open']} open, {row['repaired']} repaired "
            f"({took}), nothing there: {row['nothing_there']}"
        )
    for person, sorts in found["messages_in_7_days"].items():
        counted = ", ".join(f"{count} {sort}" for sort, count in sorts.items())
        click.echo(f"messages to {person} in 7 days: {counted}")
    modem = alarm_modem.seen(conn)
    if "credit_known_at" in modem:
        said = messages.moment(modem["credit_known_at"])
        click.echo(f"telephone credit: {modem['credit']:g}, as of {said}")


@click.group()
def maintenance() -> None:
    """Times of planned work at a place: its alarms are stored and not told."""


@maintenance.command()
@click.argument("place")
@click.option(
    "--hours", type=click.FloatRange(0.1, MOST_HOURS), required=True, help="How long, from now."
)
@WHY
@WHO
@CONFIG
@DATA
def add(place: str, hours: float, why: str, who: str, config: Path, data: Path) -> None:
    """Begin one now at a point, a reach, an offtake, or the whole site by its id."""
    plan = plan_of(config)
    ways = (*(r.id for r in plan.reaches), *(o.id for o in plan.offtakes))
    places = [plan.id, *(p.id for p in plan.points), *ways]
    if place not in places:
        refuse(f"no place {place!r}: one of {', '.join(places)}", EXIT_STATE)
    conn = open_book(data, read_only=False)
    now = SystemClock().now_ms()
    with village_store.transaction(conn):
        ident = conn.execute(
            "INSERT INTO maintenance(place, from_ms, to_ms, who, why) VALUES(?,?,?,?,?)",
            (place, now, now + round(hours * HOUR_MS), who, why),
        ).lastrowid
    click.echo(f"{ident}  {place}  {hours:g} h  {who}: {why}")


@maintenance.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Those that are over too.")
@JSON
@DATA
def list_(everything: bool, as_json: bool, data: Path) -> None:
    """What is planned or running."""
    conn = open_book(data, read_only=True)
    after = 0 if everything else SystemClock().now_ms()
    rows = conn.execute("SELECT * FROM maintenance WHERE to_ms > ? ORDER BY id", (after,))
    found = [dict(row) for row in rows]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        span = f"{row['from_ms']} to {row['to_ms']}"
        click.echo(f"{row['id']}  {row['place']}  {span}  {row['who']}: {row['why']}")


@maintenance.command()
@click.argument("ident", type=int)
@DATA
def end(ident: int, data: Path) -> None:
    """End one now: what is still wrong there is told from now on."""
    conn = open_book(data, read_only=False)
    now = SystemClock().now_ms()
    with village_store.transaction(conn):
        row = conn.execute(
            "SELECT * FROM maintenance WHERE id=? AND to_ms > ?", (ident, now)
        ).fetchone()
        if row is not None:
            conn.execute("UPDATE maintenance SET to_ms=? WHERE id=?", (now, ident))
            for alarm in alarm_book.open_alarms(conn):
                if alarm.shelved_until == row["to_ms"] and alarm.shelved_why == row["why"]:
                    village_alarms.step(conn, alarm, "unshelved", now, TELLS, now)
    if row is None:
        refuse(f"no maintenance {ident} is running: `kahriz alarm maintenance list`", EXIT_STATE)
    click.echo(f"{ident}  ended")
