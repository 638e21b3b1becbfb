# SPDX-License-Identifier: MIT
"""`kahriz server alarm`: the office's alarms from its own command line."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import book, findings
from kahriz_alarms.loop.steps_cli import (
    Desk,
    ack_command,
    close_command,
    list_command,
    shelve_command,
)
from kahriz_server.watch import store
from kahriz_server.watch.cli import DATA, known_store, refuse
from kahriz_server.watch.clock import OfficeClock

TELLS = {"log": ("closed",)}


@click.group()
def alarm() -> None:
    """Which gateway is in trouble, who has it; take it, end it."""


def _open(data: Path, read_only: bool) -> sqlite3.Connection:
    return known_store(data)


def _take(
    conn: sqlite3.Connection,
    ident: int,
    what: str,
    who: str,
    now_ms: int,
    note: str | None,
    more: dict[str, Any] | None,
) -> Alarm:
    with store.transaction(conn):
        one = book.known(conn, ident)
        return findings.step(conn, one, what, now_ms, TELLS, now_ms, who, note, more)


def _line(one: Alarm) -> str:
    says = f"  {one.evidence['says']}" if one.evidence.get("says") else ""
    who = f"  {one.owner} has it" if one.owner else ""
    quiet = f"  quiet ({one.shelved_by}: {one.shelved_why})" if one.shelved_until else ""
    below = f"  because of {one.parent}" if one.parent else ""
    return f"{one.id}  {one.state}  {one.kind} {one.place}{says}{who}{quiet}{below}"


DESK = Desk(
    command="kahriz server alarm",
    data=DATA,
    open=_open,
    refuse=refuse,
    take=_take,
    now_ms=OfficeClock().now_ms,
    line=_line,
    full=asdict,
)
for each_command in (
    list_command(
        DESK,
        "One line an alarm: number, state, kind, place, what is known, who has it.",
        "no open alarm: that says nothing about gateways that are not registered",
    ),
    ack_command(DESK, "Take an alarm."),
    shelve_command(DESK, "Keep it quiet for a time, with a name and a reason."),
    close_command(
        DESK,
        "End it by hand; what lasts rings again after a day.",
        default="other",
        show_default=True,
    ),
):
    alarm.add_command(each_command)
