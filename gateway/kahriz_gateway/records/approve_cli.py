# SPDX-License-Identifier: MIT
"""`kahriz gateway approve`: somebody has reviewed the numbers up to a day and answers for them."""

from __future__ import annotations

import sqlite3
from typing import Any

import rich_click as click

from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.approvals import Approval, revised, standing
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    day,
    moment,
    plan_of,
    point_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_gateway.village.store import transaction
from kahriz_water.strict import ConfigError


@click.command()
@site_options
@click.option("--until", metavar="DAY", help="The numbers before this day have been reviewed.")
@click.option("--by", "who", help="Who answers for them; the name stands in every export.")
@click.option("--point", "idents", multiple=True, help="At this point alone; else at all.")
@click.option("--note", default="", help="What was looked at.")
def approve(
    until: str | None, who: str | None, idents: tuple[str, ...], note: str, **given: Any
) -> None:
    """Approve the numbers before a day; without --until it says how they stand.

    A later approval takes the place of an earlier one, also with an earlier day. What changes
    afterwards (late readings, a new rating) is called revised until somebody approves anew.
    """
    try:
        plan = plan_of(given["config"])
        points = [point_of(plan, ident) for ident in idents] or list(plan.points)
        conn = village_of(given["data"])
        if until is not None:
            if who is None or not who.strip():
                raise ConfigError("--by", "who answers for the numbers")
            now_ms, until_ms = moment(None, plan, given["clock_file"]), moment(until, plan)
            if until_ms > now_ms:
                raise ConfigError("--until", "a day that is over, not one to come", until)
            made = [Approval(p.id, now_ms, until_ms, who.strip(), note) for p in points]
            with transaction(conn):
                records_store.put_approvals(conn, made)
        for point in points:
            click.echo(_words(conn, point.id))
    except REFUSALS as error:
        refuse(error)


def _words(conn: sqlite3.Connection, point: str) -> str:
    found = standing(conn, point)
    if found.held is None:
        return f"{point}: provisional; nobody has approved its numbers"
    held = found.held
    later = sum(at == held.at for _, _, at in revised(conn, point))
    since = f"; {later} numbers have changed since and are revised" if later else ""
    return f"{point}: approved before {day(held.until_ms)} by {held.who} on {day(held.at)}{since}"
