# SPDX-License-Identifier: MIT
"""Dated records in village.db: put in, taken out again as what interpretation works with.

The functions run inside the caller's transaction and say how many records were new or different.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kahriz_gateway.records.approvals import Approval
from kahriz_gateway.records.schema import REVISIONS
from kahriz_water.calibration import Calibration, judge
from kahriz_water.deployment import Deployment
from kahriz_water.gauging import Gauging, read_runs
from kahriz_water.rating_toml import structure_of
from kahriz_water.records import DatedRating, Records, StaffReading, Zero

# table: (key columns, other columns)
TABLES = {
    "deployment": (
        ("node", "channel", "from_ms"),
        ("point", "to_ms", "zero_m", "span_m", "sound_speed", "note", "role"),
    ),
    "zero": (
        ("node", "channel", "from_ms"),
        ("zero_m", "u_m", "who", "note", "span_m", "u_span_m", "pivot_ma"),
    ),
    "rating": (("point", "from_ms"), ("to_ms", "structure", "author", "gaugings", "note")),
    "staff": (
        ("point", "at"),
        ("staff_m", "who", "photo", "note", "computed_m", "zero_m"),
    ),
    "gauging": (
        ("point", "at", "method"),
        ("runs", "who", "stage_m", "device_lps", "note"),
    ),
    "approval": (("point", "at"), ("until_ms", "who", "note")),
}


def _put(conn: sqlite3.Connection, table: str, values: dict[str, Any]) -> int:
    keys, others = TABLES[table]
    columns = (*keys, *others)
    marks = ",".join("?" * len(columns))
    news = ", ".join(f"{c}=excluded.{c}" for c in others)
    excluded = ", ".join(f"excluded.{c}" for c in others)
    cursor = conn.execute(
        f"INSERT INTO {table}({', '.join(columns)}) VALUES({marks})"
        f" ON CONFLICT({', '.join(keys)}) DO UPDATE SET {news}"
        f" WHERE ({', '.join(others)}) IS NOT ({excluded})",
        [values[c] for c in columns],
    )
    return max(0, cursor.rowcount)


def rows(conn: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    keys, others = TABLES[table]
    columns = ", ".join((*keys, *others))
    found = conn.execute(
        f"SELECT {columns} FROM {table} ORDER BY {', '.join(keys)}"  # noqa: S608
    )
    return [dict(r) for r in found]


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def put_deployments(conn: sqlite3.Connection, found: Iterable[Deployment]) -> int:
    return sum(_put(conn, "deployment", _fields(d)) for d in found)


def put_zeros(conn: sqlite3.Connection, found: Iterable[Zero]) -> int:
    return sum(_put(conn, "zero", _fields(z)) for z in found)


def put_ratings(conn: sqlite3.Connection, found: Iterable[tuple[DatedRating, str]]) -> int:
    return sum(
        _put(
            conn,
            "rating",
            {**_fields(r), "structure": raw, "gaugings": json.dumps(list(r.gaugings))},
        )
        for r, raw in found
    )


def put_staff(conn: sqlite3.Connection, found: Iterable[StaffReading]) -> int:
    return sum(_put(conn, "staff", _fields(s)) for s in found)


def put_approvals(conn: sqlite3.Connection, found: Iterable[Approval]) -> int:
    """From the first one on the store notes what changes behind it."""
    known = list(found)
    for statement in REVISIONS if known else ():
        conn.execute(statement)
    return sum(_put(conn, "approval", _fields(a)) for a in known)


def put_gaugings(conn: sqlite3.Connection, found: Iterable[tuple[Gauging, str]]) -> int:
    return sum(_put(conn, "gauging", {**_fields(g), "runs": raw}) for g, raw in found)


def deployments(conn: sqlite3.Connection) -> list[Deployment]:
    return [Deployment(**r) for r in rows(conn, "deployment")]


def load(conn: sqlite3.Connection) -> Records:
    """All that interpretation depends on beside the plan."""
    ratings = []
    for r in rows(conn, "rating"):
        r["structure"] = structure_of(json.loads(r["structure"]), f"rating of {r['point']}")
        r["gaugings"] = tuple(json.loads(r["gaugings"]))
        ratings.append(DatedRating(**r))
    return Records(
        deployments=tuple(deployments(conn)),
        zeros=tuple(Zero(**r) for r in rows(conn, "zero")),
        ratings=tuple(ratings),
        staff=tuple(StaffReading(**r) for r in rows(conn, "staff")),
    )


def gaugings(conn: sqlite3.Connection, point: str | None = None) -> list[Gauging]:
    """By date; the flows are worked out from the raw runs."""
    found = []
    for r in rows(conn, "gauging"):
        if point in (None, r["point"]):
            r["runs"] = read_runs(r["method"], json.loads(r["runs"]), f"gauging of {r['point']}")
            found.append(Gauging(**r))
    return sorted(found, key=lambda g: (g.at, g.point, g.method))


def calibration_of(conn: sqlite3.Connection, point: str, ts_ms: int) -> Calibration:
    """Whether a point was calibrated at a moment, and if not, why."""
    records = load(conn)
    since = zero_since(records, point, ts_ms)
    rating = records.rating_at(point, ts_ms)
    if rating is not None and not rating.gaugings:
        since = max(since, rating.from_ms)
    known = [g for g in gaugings(conn, point) if since <= g.at <= ts_ms]
    if rating is not None and rating.gaugings:
        known = [_under(rating, g) for g in known]
    return judge(point, known)


def _under(rating: DatedRating, gauging: Gauging) -> Gauging:
    """What the device would have said under a rating that was made from gaugings."""
    if gauging.stage_m is None:
        return gauging
    lps = rating.structure.discharge(gauging.stage_m, 0.0).lps
    return gauging if lps is None else replace(gauging, device_lps=lps)


def zero_since(records: Records, point: str, ts_ms: int) -> int:
    """Since when the zero of the point is what it is; older gaugings say nothing of it."""
    channels = {
        (d.node, d.channel)
        for d in records.deployments
        if d.point == point and d.zero_m is not None and d.holds_at(ts_ms)
    }
    moments = [
        d.from_ms
        for d in records.deployments
        if (d.node, d.channel) in channels and d.holds_at(ts_ms)
    ]
    moments += [
        z.from_ms for z in records.zeros if (z.node, z.channel) in channels and z.from_ms <= ts_ms
    ]
    return max(moments, default=0)
