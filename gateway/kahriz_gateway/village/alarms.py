# SPDX-License-Identifier: MIT
"""What a village adds to an alarm: instruments that are in doubt, the flow before, dead sensors.

Everything here runs inside the caller's transaction, so that an alarm and the detector's state
that made it are on the disk together or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from kahriz_alarms import kinds, tree
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import findings as loop_findings
from kahriz_alarms.loop.book import Tells as Tells
from kahriz_alarms.loop.book import alarm_of as alarm_of
from kahriz_alarms.loop.book import load as load
from kahriz_alarms.loop.book import open_alarm as open_alarm
from kahriz_alarms.loop.book import open_alarms as open_alarms
from kahriz_alarms.loop.findings import candidates as candidates
from kahriz_alarms.loop.findings import forget as forget
from kahriz_alarms.loop.findings import running_maintenance as running_maintenance
from kahriz_alarms.loop.findings import step as step
from kahriz_alarms.loop.findings import waiting as waiting
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.records.manual import instrument_notes
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

SILENCES = ("silent_node", "gateway")  # of a node, of all of them
DAY_MS = 86_400_000
FLOWS = ("discharge_lps", "flow_lps")


def apply(
    conn: sqlite3.Connection, findings: Iterable[Finding], plan: Plan, now_ms: int, tells: Tells
) -> None:
    """Store what the detectors found."""
    for finding in findings:
        loop_findings.apply(conn, [finding], plan, now_ms, tells, raise_alarm)
        if finding.kind in SILENCES:
            _mark_silence(conn, finding, plan, now_ms, tells)


def raise_alarm(
    conn: sqlite3.Connection, finding: Finding, plan: Plan, now_ms: int, tells: Tells
) -> Alarm:
    before = None
    if kinds.of(finding.kind).proof:
        more = _instruments(conn, finding, plan)
        before = before_lps(conn, finding, plan)
        finding = replace(finding, evidence={**finding.evidence, **more})
    return loop_findings.raise_alarm(conn, finding, plan, now_ms, tells, before)


def _instruments(conn: sqlite3.Connection, finding: Finding, plan: Plan) -> dict[str, float]:
    """What stands against an alarm of the water: a sensor there that its staff gauge belies."""
    notes = instrument_notes(conn)
    off = [notes[p]["offset_mm"] for p in tree.points_of(finding.place, plan) if p in notes]
    return {"staff_off_mm": max(off, key=abs)} if off else {}


def before_lps(conn: sqlite3.Connection, finding: Finding, plan: Plan) -> float | None:
    """The flow at the upper end on the day before it began: what the repair must bring back."""
    since = int(float(finding.evidence.get("since_ms", finding.ts)))
    return flow_lps(conn, tree.points_of(finding.place, plan)[0], since - DAY_MS, since)


def flow_lps(conn: sqlite3.Connection, point: str, after_ms: int, upto_ms: int) -> float | None:
    """The median flow at a point over a span; None where nothing good was measured."""
    for quantity in FLOWS:
        values = village_store.values_between(conn, point, quantity, after_ms, upto_ms)
        good = [v.value for v in values if v.q < 3]
        if good:
            return median(good)
    return None


def _mark_silence(
    conn: sqlite3.Connection, finding: Finding, plan: Plan, now_ms: int, tells: Tells
) -> None:
    """An open alarm of the water whose sensor died is the last thing known, not over."""
    for alarm in open_alarms(conn):
        points = set(tree.points_of(alarm.place, plan))
        if alarm.kind in SILENCES or finding.place not in points | {plan.id}:
            continue
        if finding.what == RAISED and alarm.silent_since is None:
            since = {"since_ms": int(float(finding.evidence.get("since_ms", finding.ts)))}
            step(conn, alarm, "silent", finding.ts, tells, now_ms, note=finding.place, data=since)
        elif finding.what == CLEARED and alarm.silent_since is not None:
            others = points - {finding.place}
            if not any(_is_silent(conn, point) for point in others):
                step(conn, alarm, "heard", finding.ts, tells, now_ms, note=finding.place)


def _is_silent(conn: sqlite3.Connection, point: str) -> bool:
    alarm = open_alarm(conn, "silent_node", point)
    return alarm is not None and alarm.calm is None
