# SPDX-License-Identifier: MIT
"""`kahriz alarm advisory start|end|show`: "do not drink until tested", by the committee."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_alarms import messages
from kahriz_alarms.loop.steps_cli import JSON, WHO, WHY
from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms.advisory import DAY_MS, Advisory
from kahriz_gateway.alarms.cli_base import open_book, plan_of, refuse
from kahriz_gateway.alarms.hands import TELLS
from kahriz_gateway.cli_options import CONFIG, DATA
from kahriz_gateway.clock import SystemClock
from kahriz_gateway.config import EXIT_STATE
from kahriz_gateway.village import store as village_store

MOST_DAYS = 60


@click.group()
def advisory() -> None:
    """Say that nobody should drink the water until it is tested; everybody in the plan is told."""


@advisory.command()
@click.option(
    "--days", type=click.FloatRange(0.1, MOST_DAYS), required=True, help="How long it runs."
)
@WHY
@WHO
@CONFIG
@DATA
def start(days: float, why: str, who: str, config: Path, data: Path) -> None:
    """Begin one now, or let the one that runs last so long."""
    plan = plan_of(config)
    conn = open_book(data, read_only=False)
    now = SystemClock().now_ms()
    with village_store.transaction(conn):
        until = now + round(days * DAY_MS)
        made = alarm_advisory.start(conn, plan, until, who, why, now, TELLS)
    click.echo(line(made))


@advisory.command()
@WHY
@WHO
@CONFIG
@DATA
def end(why: str, who: str, config: Path, data: Path) -> None:
    """End the one that runs; say who has tested the water, and how."""
    plan = plan_of(config)
    conn = open_book(data, read_only=False)
    with village_store.transaction(conn):
        now = SystemClock().now_ms()
        closed = alarm_advisory.end(conn, plan, who, now, TELLS, why)
    if closed is None:
        refuse("no advisory is running: `kahriz alarm advisory show`", EXIT_STATE)
    click.echo(f"{closed.id}  ended by {who}: {why}")


@advisory.command()
@JSON
@CONFIG
@DATA
def show(as_json: bool, config: Path, data: Path) -> None:
    """Whether one runs, until when, by whom."""
    found = alarm_advisory.running(open_book(data, read_only=True), plan_of(config))
    if as_json:
        click.echo(json.dumps(None if found is None else full(found), ensure_ascii=False))
    else:
        click.echo(
            "none is running; that is no word on the water" if found is None else line(found)
        )


def full(found: Advisory) -> dict[str, Any]:
    """For programs: `who` is null where a storm began it."""
    alarm = found.alarm
    return {
        "alarm": alarm.id,
        "since": alarm.raised,
        "until": found.until,
        "who": found.who,
        "why": found.why,
    }


def line(found: Advisory) -> str:
    who = found.who or "by the gateway"
    return f"{found.alarm.id}  until {messages.moment(found.until)}  {who}: {found.why}"
