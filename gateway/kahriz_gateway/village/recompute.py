# SPDX-License-Identifier: MIT
"""Redo history from the raw readings with today's plan, records and ratings.

Raw rows are read and never written. Only values that come out otherwise are stored and followed by
the outputs, so that doing it twice changes nothing the second time. The village may run meanwhile:
each piece is one transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.interpret import CURSOR, Interpreter
from kahriz_gateway.village.rows import row_of
from kahriz_water.records import Records
from kahriz_water.site import Plan

ROWS = 1_000  # a transaction


@dataclass(frozen=True, slots=True)
class Redone:
    """How many readings were gone through, and how many values came out otherwise."""

    readings: int
    changed: int


def recompute(
    village: sqlite3.Connection,
    readings: sqlite3.Connection,
    plan: Plan,
    since_ms: int,
    point: str | None = None,
) -> Redone:
    """Interpret again what was measured from `since_ms` on, at one point or at all."""
    interpreter = Interpreter(village, plan)
    records = interpreter.read_records()
    nodes = None if point is None else _nodes(point, plan, records)
    upto_rev = village_store.get_cursor(village, CURSOR)  # what is newer the village will do
    seen = changed = 0
    for node, journal in readings.execute("SELECT DISTINCT node, journal FROM reading").fetchall():
        if nodes is not None and node not in nodes:
            continue
        after = -1
        while True:
            rows = [
                row_of(raw)
                for raw in readings.execute(
                    "SELECT rev, node, journal, n, ts, tq, q, body FROM reading WHERE node=?"
                    " AND journal=? AND n>? AND ts>=? AND rev<=? ORDER BY n LIMIT ?",
                    (node, journal, after, since_ms, upto_rev, ROWS),
                )
            ]
            if not rows:
                break
            with village_store.transaction(village):
                changed += interpreter.redo(readings, rows)
            seen, after = seen + len(rows), rows[-1].n
    with village_store.transaction(village):
        changed += manual_store.put_manual(village, records, plan)
    return Redone(seen, changed)


def _nodes(point: str, plan: Plan, records: Records) -> set[str]:
    """All nodes that ever measured at a point."""
    planned = {p.node for p in plan.points if p.id == point}
    return planned | {d.node for d in records.deployments if d.point == point}
