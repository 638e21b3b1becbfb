# SPDX-License-Identifier: MIT
"""The facts for the proof of a repair, out of the store: coverage, silence, flow, planned use."""

from __future__ import annotations

import sqlite3

from kahriz_alarms import kinds, tree
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.proof import DAY_MS, Facts
from kahriz_gateway.alarms import turns as alarm_turns
from kahriz_gateway.village import alarms as village_alarms
from kahriz_water.site import Plan

# What a point is measured by: the first of these that it has.
CHIEF = ("discharge_lps", "flow_lps", "volume_m3", "level_m", "stage_m")
UNHEALTHY = range(2, 6)  # levels of the tree: gateway, access point, node, sensor


def facts(conn: sqlite3.Connection, alarm: Alarm, plan: Plan, now_ms: int) -> Facts:
    """What is known of an alarm's places over the last day of readings."""
    points = tree.points_of(alarm.place, plan)
    end = _newest(conn, points)
    upto = now_ms if end is None else min(end, now_ms)
    window = village_alarms.running_maintenance(conn, alarm.place, plan, now_ms, upto - DAY_MS)
    return Facts(
        calm=alarm.calm is not None,
        silent=_silent(conn, alarm, plan),
        coverage={p: _coverage(conn, p, plan, upto) for p in points},
        before_lps=alarm.before_lps,
        now_lps=village_alarms.flow_lps(conn, points[0], upto - DAY_MS, upto),
        planned=f"{window['why']} ({window['who']})"
        if window is not None
        else alarm_turns.planned(conn, alarm.place, plan, upto),
    )


def _newest(conn: sqlite3.Connection, points: tuple[str, ...]) -> int | None:
    times = []
    for point in points:
        for quantity in CHIEF:
            row = conn.execute(
                "SELECT max(ts) FROM value WHERE point=? AND quantity=?", (point, quantity)
            ).fetchone()
            if row[0] is not None:
                times.append(int(row[0]))
                break
    return max(times, default=None)


def _coverage(conn: sqlite3.Connection, point: str, plan: Plan, upto: int) -> float:
    """The share of a day's readings that came and are good; a bound is no number."""
    known = plan.point(point)
    if known is None:
        return 0.0
    expected = DAY_MS / (known.dt_s * 1000)
    for quantity in CHIEF:
        count = conn.execute(
            "SELECT count(*) FROM value WHERE point=? AND quantity=? AND ts>? AND ts<=? AND q<3"
            " AND manual=0",
            (point, quantity, upto - DAY_MS, upto),
        ).fetchone()[0]
        if count:
            return min(1.0, float(count) / expected)
    return 0.0


def _silent(conn: sqlite3.Connection, alarm: Alarm, plan: Plan) -> tuple[str, ...]:
    """Open alarms that say that a node or sensor of this place cannot be believed."""
    mine = tree.nodes_of(alarm.place, plan)
    found = []
    for other in village_alarms.open_alarms(conn):
        level = kinds.of(other.kind).level
        if other.id == alarm.id or level is None or level not in UNHEALTHY:
            continue
        wifi = plan.wifi(other.place)
        nodes = set(wifi.nodes) if wifi else tree.nodes_of(other.place, plan)
        if other.place == plan.id or nodes & mine:
            found.append(f"{other.kind} {other.place}")
    if alarm.silent_since is not None and not found:
        found.append(f"silent since {alarm.silent_since}")
    return tuple(found)
