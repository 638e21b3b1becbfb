# SPDX-License-Identifier: MIT
"""Brings an output everything the store has, in order, and remembers how far it came.

The cursor moves only after the output has taken the batch: a crash or an outage of a month is
made good from where it stopped. A batch may come twice, never not at all.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway.alarms.office import OfficeWatch
from kahriz_gateway.outputs import Output, Refreshes, refill
from kahriz_gateway.outputs.follow_side import (
    alarm_marks,
    alarms_from,
    hellos_from,
    moved_marks,
    node_healths,
)
from kahriz_gateway.outputs.follow_turns import TurnFollower
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import Span, changed_since, pruned_upto
from kahriz_gateway.village.moments import gone_from, values_in

PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
BATCH = 5_000
PROBE = 50  # moments, when the last try failed: nobody reads 5,000 each minute for a month

log = logging.getLogger(__name__)


class Follower:
    """One output and its cursors; `step` is one pass and can be called by a test."""

    def __init__(
        self, name: str, output: Output, data_dir: Path, watch: OfficeWatch | None = None
    ) -> None:
        self.name = name
        self._watch = watch
        self._output = output
        self._readings = data_dir / "readings.db"
        self._village = data_dir / "village.db"
        self._most = BATCH
        self._turns = (
            TurnFollower(name, output, data_dir)  # type: ignore[arg-type]
            if hasattr(output, "write_turns")
            else None
        )

    def run(self, stop: threading.Event) -> None:
        conn = village_store.open_village(self._village)
        pause_s, complained = PAUSE_S, ""
        try:
            while not stop.wait(pause_s):
                try:
                    moved = self.watched_step(conn)
                except DeliveryError as error:
                    pause_s = min(max(2 * pause_s, 1.0), LONGEST_PAUSE_S)
                    if str(error) != complained:
                        log.warning("output %s: %s; trying again", self.name, error)
                    complained = str(error)
                else:
                    if complained:
                        log.info("output %s: works again", self.name)
                    pause_s, complained = (0.0 if moved else PAUSE_S), ""
        finally:
            conn.close()

    def watched_step(self, conn: sqlite3.Connection) -> bool:
        """A step; who watches over the other side is told how it went."""
        try:
            moved = self.step(conn)
        except DeliveryError as error:
            self._most = PROBE
            if self._watch is not None:
                self._watch.failed(conn, str(error))
            raise
        self._most = BATCH
        if moved and self._watch is not None:
            self._watch.worked(conn)
        return moved

    def step(self, conn: sqlite3.Connection) -> bool:
        """Hand over one batch of each sort; whether there was anything."""
        moved = self._changes(conn)
        if hasattr(self._output, "write_alarms"):
            moved |= self._alarms(conn)
        if hasattr(self._output, "take_back_alarms"):  # behind them: they may have gone before
            moved |= self._moved_alarms(conn)
        if hasattr(self._output, "write_health"):
            moved |= self._health(conn)
        if self._turns is not None:
            moved |= self._turns.step(conn)
        return self._refill(conn) or moved

    def _changes(self, conn: sqlite3.Connection) -> bool:
        before = village_store.get_cursor(conn, self.name)
        if before < pruned_upto(conn):  # it was switched off meanwhile
            refill.request(conn, self.name, 0)
            log.info("output %s: is given the whole history", self.name)
            return self._move(conn, self.name, pruned_upto(conn))
        rev, spans = changed_since(conn, before, self._most)
        if rev == before:
            return False
        self._hand_over(conn, spans)
        return self._move(conn, self.name, rev)

    def _hand_over(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None:
        if isinstance(self._output, Refreshes):
            self._output.refresh(conn, spans)
            return
        values = values_in(conn, spans)
        values += gone_from(conn, spans, values)
        if values:
            self._output.write(values)
        if self._turns is not None:
            self._turns.again(conn, spans)

    def _refill(self, conn: sqlite3.Connection) -> bool:
        before = refill.pending(conn, self.name)
        if before is None:
            return False
        if not before.point:  # alarms, health and turns are few: they simply come again
            with village_store.transaction(conn):
                village_store.set_cursor(
                    conn, f"{self.name}:alarm", alarms_from(conn, before.since)
                )
                village_store.set_cursor(
                    conn, f"{self.name}:hello", hellos_from(self._readings, before.since)
                )
                if self._turns is not None:
                    self._turns.from_(conn, before.since)
        after, spans = refill.next_spans(conn, before)
        if spans:
            self._hand_over(conn, spans)
        refill.advance(conn, self.name, before, after)
        if after is None:
            log.info("output %s: refilled", self.name)
        return True

    def _alarms(self, conn: sqlite3.Connection) -> bool:
        name = f"{self.name}:alarm"
        before = village_store.get_cursor(conn, name)
        rev, marks = alarm_marks(conn, before, BATCH)
        if marks:
            self._output.write_alarms(marks)  # type: ignore[union-attr]
        return self._move(conn, name, rev) if rev != before else False

    def _moved_alarms(self, conn: sqlite3.Connection) -> bool:
        name = f"{self.name}:moved"
        before = village_store.get_cursor(conn, name)
        rev, wrong, marks = moved_marks(conn, before)
        if wrong:
            self._output.take_back_alarms(wrong)  # type: ignore[union-attr]
            self._output.write_alarms(marks)  # type: ignore[union-attr]
        return self._move(conn, name, rev) if rev != before else False

    def _health(self, conn: sqlite3.Connection) -> bool:
        name = f"{self.name}:hello"
        before = village_store.get_cursor(conn, name)
        rev, healths = node_healths(self._readings, conn, self.name, before, BATCH)
        if healths:
            self._output.write_health(healths)  # type: ignore[union-attr]
        return self._move(conn, name, rev) if rev != before else False

    def _move(self, conn: sqlite3.Connection, name: str, rev: int) -> bool:
        with village_store.transaction(conn):
            village_store.set_cursor(conn, name, rev)
        return True
