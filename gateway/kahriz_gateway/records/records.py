# SPDX-License-Identifier: MIT
"""Dated records as TOML, all or nothing: into the store and out of it again.

[[deployment]]
node = "outlet"
channel = "weir"
point = "outlet"
from = 2026-04-01T08:00:00+04:00
zero_m = 0.800
sound_speed = "fixed"

and [[zero]], [[rating]], [[staff]], [[gauging]], [[approval]] as `records_toml` shows them.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from kahriz_gateway.records import store as records_store
from kahriz_gateway.records import toml as records_toml
from kahriz_gateway.records.approvals import Approval
from kahriz_gateway.records.toml import block
from kahriz_gateway.village.store import transaction
from kahriz_water.deployment import ROLES, SOUND_SPEEDS, Deployment
from kahriz_water.gauging import Gauging
from kahriz_water.plan import Plan
from kahriz_water.rating_toml import until, when, words
from kahriz_water.records import DatedRating, StaffReading, Zero
from kahriz_water.strict import Table, toml


@dataclass(frozen=True, slots=True)
class File:
    """What a file of records holds; ratings and gaugings with their raw JSON."""

    deployments: list[Deployment]
    zeros: list[Zero]
    ratings: list[tuple[DatedRating, str]]
    staff: list[StaffReading]
    gaugings: list[tuple[Gauging, str]]
    approvals: list[Approval]


def parse_file(text: str, plan: Plan, source: str = "records.toml") -> File:
    """Read all records; each must name a point of the plan."""
    top = Table(toml(text, source), source)
    found = File(
        deployments=[_deployment(t, plan) for t in top.tables("deployment")],
        zeros=[records_toml.read_zero(t) for t in top.tables("zero")],
        ratings=[records_toml.read_rating(t, plan) for t in top.tables("rating")],
        staff=[records_toml.read_staff(t, plan) for t in top.tables("staff")],
        gaugings=[records_toml.read_gauging(t, plan) for t in top.tables("gauging")],
        approvals=[records_toml.read_approval(t, plan) for t in top.tables("approval")],
    )
    top.done()
    return found


def parse_records(text: str, plan: Plan, source: str = "records.toml") -> list[Deployment]:
    """The deployments of a file."""
    return parse_file(text, plan, source).deployments


def _deployment(table: Table, plan: Plan) -> Deployment:
    from_ms = when(table, "from")
    has_sound, has_role = table.has("sound_speed"), table.has("role")
    found = Deployment(
        node=table.ident("node"),
        channel=table.text("channel"),
        point=table.choice("point", tuple(p.id for p in plan.points)),
        from_ms=from_ms,
        to_ms=until(table, from_ms),
        zero_m=table.optional_number("zero_m", -5, 20, "metres"),
        span_m=table.optional_number("span_m", 0.1, 50, "metres"),
        sound_speed=table.choice("sound_speed", SOUND_SPEEDS) if has_sound else None,
        note=words(table, "note"),
        role=table.choice("role", ROLES) if has_role else "head",
    )
    table.raw("sound_speed")
    table.raw("role")
    table.done()
    return found


def import_records(conn: sqlite3.Connection, path: Path, plan: Plan) -> int:
    """Read a file of records into the store, all or nothing; how many were new or different."""
    found = parse_file(path.read_text(encoding="utf-8"), plan, str(path))
    with transaction(conn):
        return (
            records_store.put_deployments(conn, found.deployments)
            + records_store.put_zeros(conn, found.zeros)
            + records_store.put_ratings(conn, found.ratings)
            + records_store.put_staff(conn, found.staff)
            + records_store.put_gaugings(conn, found.gaugings)
            + records_store.put_approvals(conn, found.approvals)
        )


def export_records(conn: sqlite3.Connection) -> str:
    """The store's dated records as TOML that `parse_file` reads back unchanged."""
    blocks = []
    for table in records_store.TABLES:
        for row in records_store.rows(conn, table):
            pairs = {_NAMES.get(key, key): value for key, value in row.items()}
            for key in _JSON & pairs.keys():
                pairs[key] = json.loads(pairs[key])
            if pairs.get("role") == "head":
                del pairs["role"]
            blocks.append(block(table, pairs))
    return "\n".join(blocks)


_NAMES = {"from_ms": "from", "to_ms": "to", "until_ms": "until"}
_JSON = {"structure", "gaugings", "runs"}
