# SPDX-License-Identifier: MIT
"""Follows readings.db and stores what the rows mean; a changed record recomputes history.

The cursor moves in the transaction that stores the values, so that a kill at any moment repeats
nothing and leaves nothing out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3

from kahriz_gateway import records_store, village_store
from kahriz_water.deployment import Deployment
from kahriz_water.interpret import Reading, interpret
from kahriz_water.site import Plan
from kahriz_water.value import Value

CURSOR = "village"
ROWS = 2_000  # a transaction: seven days of history of six nodes are six of them

log = logging.getLogger(__name__)


class Interpreter:
    """Readings in, values out; `last_ts` is how far each node has come in event time."""

    def __init__(self, village: sqlite3.Connection, plan: Plan) -> None:
        self._village = village
        self._plan = plan
        self._deployments: list[Deployment] = []
        self._seen_version = -1
        self._recompute_upto = int(village_store.get_state(village, "recompute_upto") or 0)
        self.last_ts: dict[str, int] = village_store.get_state(village, "last_ts") or {}

    def look_at_records(self) -> None:
        """Read deployments again when somebody else has written; redo history if they differ."""
        version = int(self._village.execute("PRAGMA data_version").fetchone()[0])
        if version == self._seen_version:
            return
        self._seen_version = version
        self._deployments = records_store.deployments(self._village)
        digest = _digest(self._plan, self._deployments)
        known = village_store.get_state(self._village, "interpreted_with")
        if known == digest:
            return
        with village_store.transaction(self._village):
            done = village_store.get_cursor(self._village, CURSOR)
            if known is not None and done:
                log.info("records or structures changed: history is computed again")
                self._recompute_upto = max(self._recompute_upto, done)
                village_store.set_state(self._village, "recompute_upto", self._recompute_upto)
                village_store.set_cursor(self._village, CURSOR, 0)
            village_store.set_state(self._village, "interpreted_with", digest)

    def take(self, readings: sqlite3.Connection) -> int:
        """Inside a transaction: interpret the next rows; how many there were."""
        done = village_store.get_cursor(self._village, CURSOR)
        rows = readings.execute(
            "SELECT rev, node, journal, n, ts, tq, q, body FROM reading WHERE rev > ?"
            " ORDER BY rev LIMIT ?",
            (done, ROWS),
        ).fetchall()
        for rev, *row in rows:
            self._row(rev, *row)
        if rows:
            village_store.set_cursor(self._village, CURSOR, rows[-1][0])
            village_store.set_state(self._village, "last_ts", self.last_ts)
        return len(rows)

    def _row(
        self, rev: int, node: str, journal: str, n: int, ts: int | None, tq: str | None, q: int,
        body: str,
    ) -> None:  # fmt: skip
        self._take_back(node, journal, n, ts)
        if ts is None:
            return  # dated later, with a new rev
        values = interpret(Reading(node, ts, q, json.loads(body)), self._deployments, self._plan)
        final = tq != "est"
        if not final:
            self._village.execute(
                "INSERT OR REPLACE INTO estimated(node, journal, n, ts) VALUES(?,?,?,?)",
                (node, journal, n, ts),
            )
        if rev <= self._recompute_upto:
            self._withdraw(node, ts, values)
        village_store.put_values(self._village, values, final)
        self.last_ts[node] = max(ts, self.last_ts.get(node, ts))

    def _take_back(self, node: str, journal: str, n: int, ts: int | None) -> None:
        """What stood under an estimated time goes when the row comes with another one."""
        before = self._village.execute(
            "DELETE FROM estimated WHERE node=? AND journal=? AND n=? RETURNING ts",
            (node, journal, n),
        ).fetchone()
        if before is not None:
            points = self._points_of(node)
            if before[0] != ts:
                village_store.delete_values(self._village, points, before[0])
            elif ts is not None:  # the estimate was right: now it may go out
                for point in points:
                    for quantity in village_store.quantities_of(self._village, point):
                        village_store.put_change(self._village, point, quantity, ts)

    def _points_of(self, node: str) -> list[str]:
        deployed = [d.point for d in self._deployments if d.node == node]
        return list(dict.fromkeys(deployed + [p.id for p in self._plan.points if p.node == node]))

    def _withdraw(self, node: str, ts: int, values: list[Value]) -> None:
        """Recomputing: a number that is no longer derived must not stay beside the new ones."""
        now = {(v.point, v.quantity) for v in values}
        for point in self._points_of(node):
            for quantity in village_store.quantities_of(self._village, point):
                if (point, quantity) not in now:
                    gone = self._village.execute(
                        "DELETE FROM value WHERE point=? AND quantity=? AND ts=?",
                        (point, quantity, ts),
                    )
                    if gone.rowcount:
                        village_store.put_change(self._village, point, quantity, ts)


def _digest(plan: Plan, deployments: list[Deployment]) -> str:
    """Of all that interpretation depends on."""
    text = repr((plan.points, deployments))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
