# SPDX-License-Identifier: MIT
"""Stages read by people: as manual values, and as checks of the sensor beside the staff gauge.

A reading waits until the sensor's row of that moment has come (an hour or a month later), then it
is compared: the difference goes into the uncertainty of the stage, and beyond a limit into a note
about the instrument.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from typing import Any

from kahriz_gateway.records import store as records_store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import put_changed
from kahriz_water.deployment import Deployment
from kahriz_water.manual import manual_values
from kahriz_water.records import Records, StaffReading
from kahriz_water.site import Plan, Point
from kahriz_water.value import Value

OFF_M = 0.010  # A02YYUW data sheet: +-10 mm; beyond it zero, plate or sensor have moved
EVER_MS = 2**52  # later than every record
NEAR = 1.5  # intervals between a reading of the staff gauge and the sensor's

log = logging.getLogger(__name__)


def put_manual(conn: sqlite3.Connection, records: Records, plan: Plan) -> int:
    """Store what all staff readings say with today's ratings; how many values changed."""
    changed = 0
    for reading in records.staff:
        values = manual_values(reading, records, plan)
        now = {v.quantity for v in values}
        for row in conn.execute(
            "SELECT quantity FROM value WHERE point=? AND ts=? AND manual=1"
            " AND quantity IN ('stage_m','level_m','discharge_lps','discharge_lt_lps',"
            "'discharge_gt_lps')",
            (reading.point, reading.at),
        ).fetchall():
            if row["quantity"] not in now:
                conn.execute(
                    "DELETE FROM value WHERE point=? AND quantity=? AND ts=? AND manual=1",
                    (reading.point, row["quantity"], reading.at),
                )
                put_changed(conn, [(reading.point, reading.at)])
                changed += 1
        free = [v for v in values if not _measured(conn, v)]
        changed += village_store.put_values(conn, free)
    return changed


def keep(conn: sqlite3.Connection, plan: Plan, reading: StaffReading) -> StaffReading:
    """Keep one reading, compare it with the sensor and store what it says, whole or not at all."""
    with village_store.transaction(conn):
        records_store.put_staff(conn, [reading])
        last_ts = village_store.get_state(conn, "last_ts") or {}
        compare(conn, records_store.load(conn), plan, last_ts)
        put_manual(conn, records_store.load(conn), plan)
    staff = records_store.load(conn).staff
    return next(s for s in staff if (s.point, s.at) == (reading.point, reading.at))


def _measured(conn: sqlite3.Connection, value: Value) -> bool:
    """Whether a sensor spoke in that very millisecond: then its word stands in the table."""
    row = conn.execute(
        "SELECT 1 FROM value WHERE point=? AND quantity=? AND ts=? AND manual=0",
        (value.point, value.quantity, value.ts),
    ).fetchone()
    return row is not None


def compare(conn: sqlite3.Connection, records: Records, plan: Plan, last_ts: dict[str, int]) -> int:
    """Compare the readings that wait with the sensor's value of their time; how many it were."""
    found = 0
    for reading in records.staff:
        point = plan.point(reading.point)
        if reading.computed_m is not None or point is None:
            continue
        at = gauged(records, point.id, reading.at)
        if at is None or last_ts.get(at.node, 0) < reading.at:
            continue
        computed_m = _sensor_stage(conn, point, reading.at)
        zero = records.zero_at(at, reading.at)
        if computed_m is None or zero is None:
            continue
        compared = replace(reading, computed_m=computed_m, zero_m=zero.zero_m)
        found += records_store.put_staff(conn, [compared])
        offset_m = compared.offset_m(zero.zero_m) or 0.0
        if abs(offset_m) > OFF_M:
            off = "instrument at %s: the staff gauge reads %+.0f mm against the sensor"
            log.warning(off, point.id, 1000 * offset_m)
    return found


def gauged(records: Records, point: str, ts_ms: int) -> Deployment | None:
    """The sensor whose level the staff gauge shows."""
    heads = [
        d
        for d in records.deployments
        if d.point == point and d.role == "head" and d.zero_m is not None and d.holds_at(ts_ms)
    ]
    return max(heads, key=lambda d: d.from_ms, default=None)


def _sensor_stage(conn: sqlite3.Connection, point: Point, ts_ms: int) -> float | None:
    """The sensor's stage nearest in time; None when it said nothing then."""
    near_ms = int(NEAR * point.dt_s * 1000)
    quantity = "stage_m" if point.kind == "weir" else "level_m"
    near = village_store.values_between(conn, point.id, quantity, ts_ms - near_ms, ts_ms + near_ms)
    best = min((v for v in near if v.q < 3), key=lambda v: abs(v.ts - ts_ms), default=None)
    return None if best is None else best.value


def instrument_notes(conn: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Points whose sensor is further from its staff gauge than it may: at, offset_mm, who.

    The newest comparison of each point counts, with the zero as it is now.
    """
    records = records_store.load(conn)
    found: dict[str, dict[str, Any]] = {}
    for reading in sorted(records.staff, key=lambda s: s.at):
        at = gauged(records, reading.point, reading.at)
        zero = None if at is None else records.zero_at(at, EVER_MS)
        offset_m = reading.offset_m(None if zero is None else zero.zero_m)
        if offset_m is None:
            continue
        found.pop(reading.point, None)
        if abs(offset_m) > OFF_M and at == gauged(records, reading.point, EVER_MS):
            found[reading.point] = {
                "at": reading.at,
                "offset_mm": round(1000 * offset_m, 1),
                "staff_mm": round(1000 * reading.staff_m, 1),
                "who": reading.who,
            }
    return found
