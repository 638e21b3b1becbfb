# SPDX-License-Identifier: MIT
"""Findings become stored alarms, events and pending deliveries: stored first, sent afterwards.

Everything here runs inside the caller's transaction, so that an alarm and the detector's state
that made it are on the disk together or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from kahriz_alarms import states
from kahriz_alarms.alarm import Alarm
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_water.site import Plan

SILENCES = ("silent_node", "gateway")  # of a node, of all of them
TOLD_AGAIN = 0.10  # a size is told anew when it has moved by a tenth

Tells = Mapping[str, tuple[str, ...]]  # channel name -> events it wants


def alarm_of(row: sqlite3.Row) -> Alarm:
    fields = {key: row[key] for key in row.keys() if key != "evidence"}  # noqa: SIM118
    return Alarm(**fields, evidence=json.loads(row["evidence"]))


def load(conn: sqlite3.Connection, ident: int) -> Alarm | None:
    row = conn.execute("SELECT * FROM alarm WHERE id=?", (ident,)).fetchone()
    return None if row is None else alarm_of(row)


def open_alarm(conn: sqlite3.Connection, kind: str, place: str) -> Alarm | None:
    row = conn.execute(
        "SELECT * FROM alarm WHERE kind=? AND place=? AND closed IS NULL", (kind, place)
    ).fetchone()
    return None if row is None else alarm_of(row)


def open_alarms(conn: sqlite3.Connection) -> list[Alarm]:
    rows = conn.execute("SELECT * FROM alarm WHERE closed IS NULL ORDER BY raised, id")
    return [alarm_of(r) for r in rows]


def apply(
    conn: sqlite3.Connection, findings: Iterable[Finding], plan: Plan, now_ms: int, tells: Tells
) -> None:
    """Store what the detectors found."""
    for finding in findings:
        alarm = open_alarm(conn, finding.kind, finding.place)
        if finding.what == RAISED and alarm is None:
            _raise(conn, finding, now_ms, tells)
        elif finding.what == CLEARED and alarm is not None:
            _size(conn, alarm, finding)
            step(conn, alarm, "cleared", finding.ts, tells, note=_words(finding))
        elif finding.what != RAISED and alarm is not None:
            _size(conn, alarm, finding)
            if _moved(alarm, finding):
                step(conn, alarm, "changed", finding.ts, tells)
        if finding.kind in SILENCES:
            _mark_silence(conn, finding, plan, tells)


def _raise(conn: sqlite3.Connection, finding: Finding, now_ms: int, tells: Tells) -> None:
    f = finding
    cursor = conn.execute(
        "INSERT INTO alarm(kind, place, state, raised, stored, lps, lps_u, m3, evidence)"
        " VALUES(?,?,'raised',?,?,?,?,?,?)",
        (f.kind, f.place, f.ts, now_ms, f.lps, f.lps_u, f.m3, json.dumps(f.evidence)),
    )
    assert cursor.lastrowid is not None
    _event(conn, cursor.lastrowid, f.ts, "raised", tells, None, None)


def step(
    conn: sqlite3.Connection,
    alarm: Alarm,
    what: str,
    at: int,
    tells: Tells,
    who: str | None = None,
    note: str | None = None,
) -> None:
    """One step of an alarm's life; StateError when it cannot follow."""
    state = states.after(alarm.state, what)
    closed = at if state == states.CLOSED else None
    conn.execute("UPDATE alarm SET state=?, closed=? WHERE id=?", (state, closed, alarm.id))
    _event(conn, alarm.id, at, what, tells, who, note)


def _event(
    conn: sqlite3.Connection,
    alarm: int,
    at: int,
    what: str,
    tells: Tells,
    who: str | None,
    note: str | None,
) -> None:
    cursor = conn.execute(
        "INSERT INTO alarm_event(alarm, at, what, who, note) VALUES(?,?,?,?,?)",
        (alarm, at, what, who, note),
    )
    for channel, wanted in tells.items():
        if what in wanted:
            conn.execute(
                "INSERT INTO delivery(alarm_event, channel, state) VALUES(?,?,'pending')",
                (cursor.lastrowid, channel),
            )


def _size(conn: sqlite3.Connection, alarm: Alarm, finding: Finding) -> None:
    """A size grows more certain while it is open; a clearing says nothing about it."""
    if finding.what != CLEARED and finding.lps is not None:
        conn.execute(
            "UPDATE alarm SET lps=?, lps_u=?, m3=? WHERE id=?",
            (finding.lps, finding.lps_u, finding.m3, alarm.id),
        )


def _moved(alarm: Alarm, finding: Finding) -> bool:
    if alarm.lps is None or finding.lps is None:
        return False
    return abs(finding.lps - alarm.lps) > TOLD_AGAIN * abs(alarm.lps)


def _words(finding: Finding) -> str | None:
    return json.dumps(finding.evidence) if finding.evidence else None


def _mark_silence(conn: sqlite3.Connection, finding: Finding, plan: Plan, tells: Tells) -> None:
    """An open alarm of the water whose sensor died is the last thing known, not over."""
    for alarm in open_alarms(conn):
        points = _points_of(alarm, plan)
        if alarm.kind in SILENCES or finding.place not in points | {plan.id}:
            continue
        if finding.what == RAISED and alarm.silent_since is None:
            since = int(float(finding.evidence.get("since_ms", finding.ts)))
            conn.execute("UPDATE alarm SET silent_since=? WHERE id=?", (since, alarm.id))
            step(conn, alarm, "silent", finding.ts, tells, note=finding.place)
        elif finding.what == CLEARED and alarm.silent_since is not None:
            others = points - {finding.place}
            if not any(open_alarm(conn, "silent_node", point) for point in others):
                conn.execute("UPDATE alarm SET silent_since=NULL WHERE id=?", (alarm.id,))
                step(conn, alarm, "heard", finding.ts, tells, note=finding.place)


def _points_of(alarm: Alarm, plan: Plan) -> set[str]:
    reach = plan.reach(alarm.place)
    return {alarm.place} if reach is None else {reach.from_, reach.to}
