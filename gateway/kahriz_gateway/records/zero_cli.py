# SPDX-License-Identifier: MIT
"""`kahriz gateway zero`: moves a sensor's zero to what the staff gauge says."""

from __future__ import annotations

from typing import Any

import rich_click as click

from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.offer_cli import offer_zero, store_option
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    moment,
    plan_of,
    point_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_water.zeroing import moved


@click.command()
@site_options
@click.option("--point", "ident", required=True, help="Which point of the plan.")
@click.option("--who", required=True, help="Who answers for it.")
@click.option("--since", metavar="TIME", help="Staff readings since; since the last zero if not.")
@click.option("--from", "start", metavar="TIME", help="It holds from; the first of them if not.")
@store_option
def zero(
    ident: str, who: str, since: str | None, start: str | None, keep: bool, **given: Any
) -> None:
    """A new zero from three staff readings or more; nothing is kept without --store."""
    try:
        plan = plan_of(given["config"])
        point_of(plan, ident)
        conn = village_of(given["data"])
        now_ms = moment(None, plan, given["clock_file"])
        since_ms = None if since is None else moment(since, plan)
        start_ms = None if start is None else moment(start, plan)
        records = records_store.load(conn)
        at = manual_store.gauged(records, ident, now_ms)
        found = moved(records, ident, at, who, now_ms, since_ms, start_ms)
        offer_zero(conn, found, keep)
    except REFUSALS as error:
        refuse(error)
