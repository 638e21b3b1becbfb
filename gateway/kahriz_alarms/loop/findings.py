# SPDX-License-Identifier: MIT
"""Findings become stored alarms, steps and pending deliveries: stored first, sent afterwards.

Everything here runs inside the caller's transaction, so that an alarm and the judgement that made
it are on the disk together or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from kahriz_alarms import kinds, tree
from kahriz_alarms.alarm import Alarm, Step
from kahriz_alarms.loop.book import Tells, begin, open_alarm, record
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_water.site import Plan

COLLAPSE = "collapse"  # the chamber fell with the mouth: no work that was told does that

Raise = Callable[[sqlite3.Connection, Finding, Plan, int, Tells], Alarm]


def apply(
    conn: sqlite3.Connection,
    findings: Iterable[Finding],
    plan: Plan,
    now_ms: int,
    tells: Tells,
    begins: Raise | None = None,
) -> None:
    """Store what was found; `begins` makes a new alarm where more is known than the finding."""
    for finding in findings:
        alarm = open_alarm(conn, finding.kind, finding.place)
        if finding.what == RAISED:
            if alarm is None:
                _consider(conn, finding, plan, now_ms, tells, begins or raise_alarm)
            elif alarm.calm is not None:  # it had ended and is there again: the same alarm
                step(conn, alarm, "back", finding.ts, tells, now_ms, data=_sizes(finding))
        elif finding.what == CLEARED:
            forget(conn, finding.kind, finding.place)
            if alarm is not None and alarm.calm is None:
                _over(conn, alarm, finding, plan, now_ms, tells)
        elif alarm is not None:
            _resize(conn, alarm, finding, plan, now_ms, tells)


def step(
    conn: sqlite3.Connection,
    alarm: Alarm,
    what: str,
    at: int,
    tells: Tells,
    now_ms: int | None = None,
    who: str | None = None,
    note: str | None = None,
    data: dict[str, Any] | None = None,
) -> Alarm:
    """One step of an alarm's life; StateError when it cannot follow."""
    stored = at if now_ms is None else now_ms
    return record(conn, alarm, Step(what, at, stored, who, note, data or {}), tells)


def _consider(
    conn: sqlite3.Connection,
    finding: Finding,
    plan: Plan,
    now_ms: int,
    tells: Tells,
    begins: Raise,
) -> None:
    """An alarm, or, while it must last longer first, a candidate for one."""
    wait = kinds.on_delay_ms(finding.kind, plan.alarms.on_delay_minutes)
    if wait == 0:
        begins(conn, finding, plan, now_ms, tells)
        return
    conn.execute(
        "INSERT INTO candidate(kind, place, due, finding) VALUES(?,?,?,?)"
        " ON CONFLICT(kind, place) DO NOTHING",
        (finding.kind, finding.place, now_ms + wait, json.dumps(asdict(finding))),
    )


def candidates(conn: sqlite3.Connection, now_ms: int) -> list[Finding]:
    """Findings that have lasted long enough."""
    rows = conn.execute("SELECT finding FROM candidate WHERE due <= ?", (now_ms,)).fetchall()
    return [Finding(**json.loads(row[0])) for row in rows]


def waiting(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Kind and place of what must last longer before it is an alarm."""
    return [(str(k), str(p)) for k, p in conn.execute("SELECT kind, place FROM candidate")]


def forget(conn: sqlite3.Connection, kind: str, place: str) -> None:
    conn.execute("DELETE FROM candidate WHERE kind=? AND place=?", (kind, place))


def raise_alarm(
    conn: sqlite3.Connection,
    finding: Finding,
    plan: Plan,
    now_ms: int,
    tells: Tells,
    before_lps: float | None = None,
) -> Alarm:
    data = {
        "kind": finding.kind,
        "place": finding.place,
        "urgent": kinds.of(finding.kind).urgent,
        "evidence": dict(finding.evidence),
        "before_lps": before_lps,
        **_sizes(finding),
    }
    alarm = begin(conn, Step("raised", finding.ts, now_ms, data=data), tells)
    window = running_maintenance(conn, alarm.place, plan, now_ms)
    if window is not None and alarm.kind != COLLAPSE:
        note, until = {"note": window["why"], "who": window["who"]}, {"until": window["to_ms"]}
        alarm = step(conn, alarm, "shelved", now_ms, tells, now_ms, data=until, **note)
    return alarm


def running_maintenance(
    conn: sqlite3.Connection, place: str, plan: Plan, now_ms: int, since_ms: int | None = None
) -> sqlite3.Row | None:
    """A window of maintenance that covers a place now, or at any time since then."""
    places = [place, plan.id, *tree.points_of(place, plan)]
    marks = ",".join("?" * len(places))
    row: sqlite3.Row | None = conn.execute(
        f"SELECT * FROM maintenance WHERE place IN ({marks}) AND from_ms <= ? AND to_ms > ?"  # noqa: S608
        " ORDER BY to_ms DESC LIMIT 1",
        (*places, now_ms, now_ms if since_ms is None else since_ms),
    ).fetchone()
    return row


def _sizes(finding: Finding) -> dict[str, float | None]:
    return {"lps": finding.lps, "lps_u": finding.lps_u, "m3": finding.m3}


def _over(
    conn: sqlite3.Connection, alarm: Alarm, finding: Finding, plan: Plan, now_ms: int, tells: Tells
) -> None:
    """The cause is over: an end at once, or a calm that has to last or to be proved."""
    waits = kinds.off_delay_ms(alarm.kind, plan.alarms.off_delay_minutes) > 0
    what = "calm" if waits or kinds.of(alarm.kind).proof else "cleared"
    note = json.dumps(finding.evidence) if finding.evidence else None
    step(conn, alarm, what, finding.ts, tells, now_ms, note=note)


def _resize(
    conn: sqlite3.Connection, alarm: Alarm, finding: Finding, plan: Plan, now_ms: int, tells: Tells
) -> None:
    """A size grows more certain while it is open; it is told when it leaves the dead band."""
    if finding.lps is None or (finding.lps, finding.lps_u, finding.m3) == (
        alarm.lps,
        alarm.lps_u,
        alarm.m3,
    ):
        return
    told = alarm.told_lps
    moved = told is None or abs(finding.lps - told) > plan.alarms.dead_band * abs(told)
    what = "changed" if moved else "sized"
    step(conn, alarm, what, finding.ts, tells, now_ms, data=_sizes(finding))
