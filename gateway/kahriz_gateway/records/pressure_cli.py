# SPDX-License-Identifier: MIT
"""`kahriz gateway pressure`: zero and span of a 4-20 mA sensor from two known depths."""

from __future__ import annotations

from typing import Any

import rich_click as click

from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.offer_cli import offer_zero, store_option
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    moment,
    pair_of,
    plan_of,
    point_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_water.two_point import calibrated

READ = "a depth in metres and mA with a comma between, such as 0.5,6.667"


@click.command()
@site_options
@click.option("--point", "ident", required=True, help="Which point of the plan.")
@click.option("--who", required=True, help="Who answers for it.")
@click.option(
    "--read",
    "reads",
    multiple=True,
    metavar="DEPTH_M,MA",
    help="A known depth and the current read there; three or more at each of two depths.",
)
@click.option(
    "--hangs-m",
    type=click.FloatRange(-20, 20),
    help="The depths were the sensor's own, raised on its cable; so high over the staff gauge's "
    "zero it hangs now. Without it they are levels on the staff gauge.",
)
@click.option("--from", "start", metavar="TIME", help="It holds from; now if not.")
@store_option
def pressure(
    ident: str,
    who: str,
    reads: tuple[str, ...],
    hangs_m: float | None,
    start: str | None,
    keep: bool,
    **given: Any,
) -> None:
    """Zero and span of a pressure sensor from two depths; nothing is kept without --store."""
    try:
        plan = plan_of(given["config"])
        point_of(plan, ident)
        conn = village_of(given["data"])
        from_ms = moment(start, plan, given["clock_file"])
        records = records_store.load(conn)
        at = manual_store.gauged(records, ident, from_ms)
        found = calibrated(
            at, [pair_of("--read", READ, text) for text in reads], who, from_ms, hangs_m
        )
        offer_zero(conn, found, keep)
    except REFUSALS as error:
        refuse(error)
