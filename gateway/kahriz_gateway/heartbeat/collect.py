# SPDX-License-Identifier: MIT
"""The words of a heartbeat, out of the stores: numbers only. What cannot be read is left out."""

from __future__ import annotations

import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kahriz_alarms.heartbeat.beat import Beat
from kahriz_gateway import limits, notify_sign, ups
from kahriz_gateway.clock import Clock
from kahriz_gateway.page import stores
from kahriz_gateway.village.changes import newest
from kahriz_gateway.village.store import get_cursor, get_state
from kahriz_water.site import Plan

INFLUX = "influx"


def collect(plan: Plan, data: Path, clock: Clock, n: int) -> Beat:
    """How this gateway is now."""
    known: dict[str, Any] = {}
    free = None
    try:
        room = limits.room(data)
        known["room_used"], free = round(room.share, 4), room.free
    except OSError:
        pass
    try:
        with stores.village(data) as conn:
            known |= _village(conn, plan, clock.now_ms(), free)
    except (stores.UnreadableStoreError, sqlite3.Error):
        pass
    said = [notify_sign.read(data, name) or {} for name in ("intake", "village")]
    known["stopped"] = any("trouble" in each for each in said)
    now = max(0, clock.now_ms())
    return Beat(plan.id, n, now, version("kahriz-monitor"), clock.trusted(), **known)


def _village(conn: sqlite3.Connection, plan: Plan, now_ms: int, free: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if free is not None:
        days = limits.days_left(get_state(conn, "room") or [], now_ms, free)
        found |= {} if days is None else {"days_left": round(min(days, 100_000.0), 1)}
    row = conn.execute(
        "SELECT count(*), coalesce(sum(urgent), 0) FROM alarm WHERE closed IS NULL"
    ).fetchone()
    found |= {"alarms": row[0], "urgent": row[1]}
    if plan.influx is not None:
        found |= _unsent(conn)
    if plan.ups is not None:
        mains = ups.on_mains(plan.ups)
        found |= {} if mains is None else {"mains": mains}
        kept = get_state(conn, "power")
        if kept is not None:
            hours = ups.Power(**kept).hours_left(plan.ups)
            found["battery_hours"] = round(hours, 2)
    return found


def _unsent(conn: sqlite3.Connection) -> dict[str, Any]:
    """What InfluxDB has not taken yet, and how far back that reaches."""
    taken = get_cursor(conn, INFLUX)
    oldest = conn.execute("SELECT min(a) FROM changed WHERE rev > ?", (taken,)).fetchone()[0]
    found = {"backlog": max(0, newest(conn) - taken)}
    return found if oldest is None or oldest < 0 else {**found, "unsent_ms": oldest}
