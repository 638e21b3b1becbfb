# SPDX-License-Identifier: MIT
"""What an output may be told beside the values: alarms, and how nodes and gateway are.

Of a node's readings `measured_rows` have been given a number, `stored_rows` lie in the store (they
are counted there), `lost_rows` are closed with a reason, `backlog_rows` are announced and not
delivered, `missing_rows` those of them that an earlier session has announced already. The gateway
stands among the nodes under its own reserved name; its backlog are the changes that this output
has not been handed yet.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from kahriz_alarms.loop.clock import moved_steps
from kahriz_gateway.intake import store
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth
from kahriz_gateway.village.changes import newest as newest_change
from kahriz_gateway.village.store import get_cursor
from kahriz_wire.topics import GATEWAY

FIGURES = ("battery_v", "rssi_dbm", "heap", "boot")  # of a hello
TOLD = ("raised", "changed", "cleared", "closed")


def alarm_marks(conn: sqlite3.Connection, before: int, limit: int) -> tuple[int, list[AlarmMark]]:
    """The next events of alarms that change what a panel shows, and the new mark."""
    rows = conn.execute(
        "SELECT e.id AS rev, e.at, e.what, a.* FROM alarm_event e JOIN alarm a ON a.id=e.alarm"
        " WHERE e.id > ? ORDER BY e.id LIMIT ?",
        (before, limit),
    ).fetchall()
    marks = [_mark(r) for r in rows if r["what"] in TOLD]
    return (int(rows[-1]["rev"]) if rows else before), marks


def moved_marks(
    conn: sqlite3.Connection, before: int
) -> tuple[int, list[AlarmMark], list[AlarmMark]]:
    """Alarms that were dated anew when a clock was put right: the new mark, what stood at another

    time before, and all there is to tell of these alarms now.
    """
    moved = moved_steps(conn, before)
    wrong: list[AlarmMark] = []
    again: dict[int, AlarmMark] = {}
    for _, step, at in moved:
        told = conn.execute(
            "SELECT e.id AS rev, e.at, e.what, a.* FROM alarm_event e JOIN alarm a ON a.id=e.alarm"
            " WHERE a.id=(SELECT alarm FROM alarm_event WHERE id=?)",
            (step,),
        ).fetchall()
        wrong += [replace(_mark(r), ts=at) for r in told if r["rev"] == step and r["what"] in TOLD]
        again |= {r["rev"]: _mark(r) for r in told if r["what"] in TOLD}
    return moved[-1][0] if moved else before, wrong, [again[rev] for rev in sorted(again)]


def _mark(r: sqlite3.Row) -> AlarmMark:
    return AlarmMark(
        r["id"],
        r["kind"],
        r["place"],
        r["at"],
        r["what"] not in ("cleared", "closed"),
        r["lps"],
        r["m3"],
        raised_ms=r["raised"],
        open_s=max(0, r["at"] - r["raised"]) / 1000,
        repair_s=None if r["fixed"] is None else max(0, r["fixed"] - r["raised"]) / 1000,
    )


def alarms_from(conn: sqlite3.Connection, since: int) -> int:
    """The mark before the first event from `since` on."""
    first = conn.execute("SELECT min(id) FROM alarm_event WHERE at >= ?", (since,)).fetchone()[0]
    if first is not None:
        return int(first) - 1
    return int(conn.execute("SELECT coalesce(max(id), 0) FROM alarm_event").fetchone()[0])


def node_healths(
    path: Path, village: sqlite3.Connection, output: str, before: int, limit: int
) -> tuple[int, list[NodeHealth]]:
    """What the next hellos said, with what is missing now, and the new mark."""
    if not path.exists():
        return before, []
    readings = store.read_store(path)
    try:
        rows = readings.execute(
            "SELECT rev, node, received, body FROM hello WHERE rev > ? ORDER BY rev LIMIT ?",
            (before, limit),
        ).fetchall()
        if not rows:
            return before, []
        gaps: dict[str, list[store.Gap]] = {}
        for gap in store.gaps(readings):
            gaps.setdefault(gap.node, []).append(gap)
        newest = {node: rev for rev, node, _, _ in rows}
        counts = {node: _counts(readings, node) for node in newest}
        quarantined = readings.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    finally:
        readings.close()
    healths = []
    for rev, node, received, body in rows:
        hello = json.loads(body)
        figures = {k: float(hello[k]) for k in FIGURES if isinstance(hello.get(k), int | float)}
        if newest[node] == rev:  # what is missing is known for now, not for then
            figures |= counts[node]
            own = gaps.get(node, [])
            figures["backlog_rows"] = float(sum(gap.count for gap in own))
            figures["missing_rows"] = float(sum(g.count for g in own if _older(g, received)))
        if received is not None and figures:
            healths.append(NodeHealth(node, received, figures))
    heard = [received for _, _, received, _ in rows if received is not None]
    if heard:
        figures = {
            "backlog_rows": float(_not_passed_on(village, output)),
            "quarantined_messages": float(quarantined),
            "heard_ms": float(max(heard)),
        }
        healths.append(NodeHealth(GATEWAY, max(heard), figures))
    return int(rows[-1][0]), healths


def hellos_from(path: Path, since: int) -> int:
    """The mark before the first hello received from `since` on."""
    if not path.exists():
        return 0
    readings = store.read_store(path)
    try:
        first = readings.execute(
            "SELECT min(rev) FROM hello WHERE received >= ?", (since,)
        ).fetchone()[0]
        newest = readings.execute("SELECT coalesce(max(rev), 0) FROM hello").fetchone()[0]
    finally:
        readings.close()
    return int(newest if first is None else first - 1)


def _counts(readings: sqlite3.Connection, node: str) -> dict[str, float]:
    asked = {
        "measured_rows": "SELECT sum(next - 1) FROM session WHERE node=?",
        "stored_rows": "SELECT count(*) FROM reading WHERE node=?",
        "lost_rows": "SELECT sum(b - a + 1) FROM closed WHERE node=?",
    }
    return {
        name: float(readings.execute(sql, (node,)).fetchone()[0] or 0)
        for name, sql in asked.items()
    }


def _older(gap: store.Gap, hello_ms: int | None) -> bool:
    return gap.since_ms is None or hello_ms is None or gap.since_ms < hello_ms


def _not_passed_on(village: sqlite3.Connection, output: str) -> int:
    return max(0, newest_change(village) - get_cursor(village, output))
