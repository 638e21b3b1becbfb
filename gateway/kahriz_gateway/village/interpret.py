# SPDX-License-Identifier: MIT
"""Follows readings.db and stores what the rows mean; a changed record recomputes its history.

The cursor moves in the transaction that stores the values, so that a kill at any moment repeats
nothing and leaves nothing out.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from typing import Any

from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.village import futures
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import put_changed
from kahriz_gateway.village.estimates import told_upto
from kahriz_gateway.village.rows import Flagged, Row, flagged, row_of
from kahriz_water.interpret import Interpretation
from kahriz_water.records import Records
from kahriz_water.site import Plan
from kahriz_water.value import Value

CURSOR = "village"
DISCHARGE = ("discharge_lps", "discharge_lt_lps", "discharge_gt_lps")
EVER = 1 << 62  # past every rev
ROWS = 2_000  # a transaction: seven days of history of six nodes are six of them

log = logging.getLogger(__name__)


class Interpreter:
    """Readings in, values out; `last_ts` is how far each node has come in event time."""

    def __init__(self, village: sqlite3.Connection, plan: Plan) -> None:
        self._village = village
        self._plan = plan
        self._records = Records()
        self._meaning = Interpretation(self._records, plan)
        self._seen_version = -1
        self._recompute_upto = int(village_store.get_state(village, "recompute_upto") or 0)
        self._recompute_since = int(village_store.get_state(village, "recompute_since") or 0)
        self.last_ts: dict[str, int] = village_store.get_state(village, "last_ts") or {}

    def look_at_records(self) -> None:
        """Read the records again when somebody else has written; redo what they change."""
        version = int(self._village.execute("PRAGMA data_version").fetchone()[0])
        if version == self._seen_version:
            return
        self._seen_version = version
        self._records = records_store.load(self._village)
        if any(s.computed_m is None for s in self._records.staff):
            with village_store.transaction(self._village):
                manual_store.compare(self._village, self._records, self._plan, self.last_ts)
            self._records = records_store.load(self._village)
        now = _digest(self._plan, self._records)
        known = village_store.get_state(self._village, "interpreted_with")
        if known == now:
            return
        with village_store.transaction(self._village):
            if known is not None:
                self._redo(_first_change(known, now))
            manual_store.put_manual(self._village, self._records, self._plan)
            village_store.set_state(self._village, "interpreted_with", now)

    def _redo(self, since: int) -> None:
        """Go through the history again, from the first moment that a record changes."""
        done = village_store.get_cursor(self._village, CURSOR)
        if not done:
            return
        log.info("records or structures changed: history is computed again")
        if self._recompute_upto > done:  # the last one is not through yet
            since = min(since, self._recompute_since)
        self._recompute_upto, self._recompute_since = max(self._recompute_upto, done), since
        village_store.set_state(self._village, "recompute_upto", self._recompute_upto)
        village_store.set_state(self._village, "recompute_since", since)
        village_store.set_cursor(self._village, CURSOR, 0)

    def take(self, readings: sqlite3.Connection) -> int:
        """Inside a transaction: interpret the next rows; how many there were."""
        done = village_store.get_cursor(self._village, CURSOR)
        upto, since = self._recompute_upto, self._recompute_since
        rows = [
            row_of(raw)
            for raw in readings.execute(
                "SELECT rev, node, journal, n, ts, tq, q, body FROM reading"
                " WHERE rev > ? AND (rev > ? OR ts IS NULL OR ts >= ?) ORDER BY rev LIMIT ?",
                (done, upto, since, ROWS),
            )
        ]
        self.put(readings, rows)
        reached = max([done, *(row.rev for row in rows)])
        if len(rows) < ROWS:  # what is left of a redone history is older than its beginning
            reached = max(reached, upto)
        village_store.set_cursor(self._village, CURSOR, reached)
        if rows:
            village_store.set_state(self._village, "last_ts", self.last_ts)
            if manual_store.compare(self._village, self._records, self._plan, self.last_ts):
                self._seen_version = -1  # a comparison changes what a stage is worth
        return len(rows)

    def read_records(self) -> Records:
        """The records as they are now, for a redoing by hand."""
        self._records = records_store.load(self._village)
        return self._records

    def put(self, readings: sqlite3.Connection, rows: list[Row]) -> None:
        """Inside a transaction: interpret these rows, and again those beside them."""
        if any(row.tq == "est" for row in rows) or self._any_estimated():
            for row in rows:
                self._take_back(row)
        for node, ts in futures.said_before(readings, rows):
            futures.take_out(self._village, self.points_of(node), ts)
            if self.last_ts.get(node, ts - 1) >= ts:
                before = futures.newest_before(readings, node, ts)
                self.last_ts.pop(node)
                self.last_ts |= {} if before is None else {node: before}
        upto_rev = max((row.rev for row in rows), default=0)
        found = flagged(readings, rows, upto_rev, self._plan, self._records)
        self._store(found, self._recompute_upto)

    def redo(self, readings: sqlite3.Connection, rows: list[Row]) -> int:
        """Inside a transaction: interpret rows that have been before; how many values changed."""
        return self._store(flagged(readings, rows, 0, self._plan, self._records), EVER)

    def _store(self, found: list[Flagged], before_rev: int) -> int:
        """Store what rows mean; those up to `before_rev` have been interpreted before."""
        if self._meaning.records is not self._records:
            self._meaning = Interpretation(self._records, self._plan)
        meaning, last_ts = self._meaning.values, self.last_ts
        sure: list[Value] = []
        guessed: list[Value] = []
        told = told_upto(self._village)
        withdrawn = 0
        for row, reading, again in found:
            node, ts = row.node, reading.ts
            values = meaning(reading)
            final = row.tq != "est" or ts <= told
            (sure if final else guessed).extend(values)
            if row.tq == "est":
                self._village.execute(
                    "INSERT OR REPLACE INTO estimated(node, journal, n, ts) VALUES(?,?,?,?)",
                    (node, row.journal, row.n, ts),
                )
            if again or row.rev <= before_rev:
                withdrawn += self._withdraw(node, ts, values, final)
            if ts > last_ts.get(node, ts - 1):
                last_ts[node] = ts
        stored = village_store.put_values(self._village, guessed, final=False)
        return withdrawn + stored + village_store.put_values(self._village, sure)

    def _any_estimated(self) -> bool:
        return self._village.execute("SELECT 1 FROM estimated LIMIT 1").fetchone() is not None

    def _take_back(self, row: Row) -> None:
        """What stood under an estimated time goes when the row comes with another one."""
        before = self._village.execute(
            "DELETE FROM estimated WHERE node=? AND journal=? AND n=? RETURNING ts",
            (row.node, row.journal, row.n),
        ).fetchone()
        if before is not None:
            points = self.points_of(row.node)
            if before[0] != row.ts and before[0] <= told_upto(self._village):
                self._withdraw(row.node, before[0], [], True)  # outputs know it under that time
            elif before[0] != row.ts:
                village_store.delete_values(self._village, points, before[0])
            elif (
                row.ts is not None and row.tq != "est"
            ):  # the estimate was right: now it may go out
                put_changed(self._village, [(point, row.ts) for point in points])

    def points_of(self, node: str) -> list[str]:
        deployed = [d.point for d in self._records.deployments if d.node == node]
        return list(dict.fromkeys(deployed + [p.id for p in self._plan.points if p.node == node]))

    def _withdraw(self, node: str, ts: int, values: list[Value], final: bool) -> int:
        """Redoing: a number that is no longer derived must not stay beside the new ones.

        A discharge makes room for its bound and the other way round; anything else stays, marked
        as missing, because an output that merges fields has to be told.
        """
        now = {(v.point, v.quantity) for v in values}
        withdrawn = 0
        for point in self.points_of(node):
            for quantity in village_store.quantities_of(self._village, point):
                if (point, quantity) in now:
                    continue
                where = (point, quantity, ts)
                if quantity in DISCHARGE and any((point, other) in now for other in DISCHARGE):
                    gone = self._village.execute(
                        "DELETE FROM value WHERE point=? AND quantity=? AND ts=? AND manual=0",
                        where,
                    )
                else:
                    gone = self._village.execute(
                        "UPDATE value SET q=9, u=NULL, u_random=NULL"
                        " WHERE point=? AND quantity=? AND ts=? AND manual=0 AND q<>9",
                        where,
                    )
                if gone.rowcount:
                    withdrawn += 1
                    if final:
                        put_changed(self._village, [(point, ts)])
        return withdrawn


def _digest(plan: Plan, records: Records) -> dict[str, Any]:
    """Of all that interpretation depends on: the plan, and each record with its first moment."""
    dated: list[tuple[int, object]] = [(s.at, s) for s in records.staff]
    dated += [(d.from_ms, d) for d in records.deployments]
    dated += [(z.from_ms, z) for z in records.zeros]
    dated += [(r.from_ms, r) for r in records.ratings]
    found = sorted([from_ms, _hash(repr(record))] for from_ms, record in dated)
    return {"plan": _hash(repr(plan.points)), "records": found}


def _first_change(before: Any, now: dict[str, Any]) -> int:
    """The first moment at which something is not as it was."""
    if not isinstance(before, dict) or before["plan"] != now["plan"]:
        return 0
    old, new = ({tuple(r) for r in d["records"]} for d in (before, now))
    return int(min((from_ms for from_ms, _ in old ^ new), default=0))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
