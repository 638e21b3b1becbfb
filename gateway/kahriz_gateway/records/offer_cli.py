# SPDX-License-Identifier: MIT
"""What is worked out for a point is offered as the record it would be, and kept with --store."""

from __future__ import annotations

import sqlite3

import rich_click as click

from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.toml import block
from kahriz_gateway.records.water_cli import day
from kahriz_gateway.village import store as village_store
from kahriz_water.records import Zero

store_option = click.option(
    "--store", "keep", is_flag=True, help="Keep it; history is computed again."
)
NOT_KEPT = "# not kept: --store keeps it, and history is computed again from its day on"


def offer_zero(conn: sqlite3.Connection, found: Zero, keep: bool) -> None:
    """Keep a zero if asked, and print it as records.toml has it."""
    if keep:
        with village_store.transaction(conn):
            records_store.put_zeros(conn, [found])
    pairs = {name: getattr(found, name) for name in found.__slots__}
    pairs["from"] = pairs.pop("from_ms")
    click.echo(block("zero", pairs), nl=False)
    kept = f"# kept from {day(found.from_ms)} on; gaugings before it count no more"
    click.echo(kept if keep else NOT_KEPT)
