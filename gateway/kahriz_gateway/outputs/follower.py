# SPDX-License-Identifier: MIT
"""Brings an output everything the store has, in order, and remembers how far it came.

The cursor moves only after the output has taken the batch: a crash or an outage of a month is
made good from where it stopped. A batch may come twice, never not at all.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from pathlib import Path

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway import store, village_store
from kahriz_gateway.outputs import Output
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth

PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
BATCH = 5_000
FIGURES = ("battery_v", "rssi_dbm", "heap")  # of a hello

log = logging.getLogger(__name__)


class Follower:
    """One output and its cursors; `step` is one pass and can be called by a test."""

    def __init__(self, name: str, output: Output, data_dir: Path) -> None:
        self.name = name
        self._output = output
        self._data_dir = data_dir

    def run(self, stop: threading.Event) -> None:
        conn = village_store.open_village(self._data_dir / "village.db")
        pause_s, complained = PAUSE_S, ""
        try:
            while not stop.wait(pause_s):
                try:
                    moved = self.step(conn)
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

    def step(self, conn: sqlite3.Connection) -> bool:
        """Hand over one batch of each sort; whether there was anything."""
        moved = self._values(conn)
        if hasattr(self._output, "write_alarms"):
            moved |= self._alarms(conn)
        if hasattr(self._output, "write_health"):
            moved |= self._health(conn)
        return moved

    def _values(self, conn: sqlite3.Connection) -> bool:
        before = village_store.get_cursor(conn, self.name)
        rev, values = village_store.changed_since(conn, before, BATCH)
        if rev == before:
            return False
        if values:
            self._output.write(values)
        self._move(conn, self.name, rev)
        return True

    def _alarms(self, conn: sqlite3.Connection) -> bool:
        name = f"{self.name}:alarm"
        before = village_store.get_cursor(conn, name)
        rows = conn.execute(
            "SELECT e.id AS rev, e.at, e.what, a.* FROM alarm_event e JOIN alarm a ON a.id=e.alarm"
            " WHERE e.id > ? ORDER BY e.id LIMIT ?",
            (before, BATCH),
        ).fetchall()
        if not rows:
            return False
        marks = [
            AlarmMark(
                r["id"],
                r["kind"],
                r["place"],
                r["at"],
                r["what"] not in ("cleared", "closed"),
                r["lps"],
                r["m3"],
            )
            for r in rows
            if r["what"] in ("raised", "changed", "cleared", "closed")
        ]
        if marks:
            self._output.write_alarms(marks)  # type: ignore[attr-defined]
        self._move(conn, name, rows[-1]["rev"])
        return True

    def _health(self, conn: sqlite3.Connection) -> bool:
        path = self._data_dir / "readings.db"
        if not path.exists():
            return False
        name = f"{self.name}:hello"
        before = village_store.get_cursor(conn, name)
        readings = store.read_store(path)
        try:
            rows = readings.execute(
                "SELECT rev, node, received, body FROM hello WHERE rev > ? ORDER BY rev LIMIT ?",
                (before, BATCH),
            ).fetchall()
            missing: dict[str, int] = {}
            for gap in store.gaps(readings):
                missing[gap.node] = missing.get(gap.node, 0) + gap.count
        finally:
            readings.close()
        if not rows:
            return False
        newest = {node: rev for rev, node, _, _ in rows}
        healths = []
        for rev, node, received, body in rows:
            hello = json.loads(body)
            figures = {k: float(hello[k]) for k in FIGURES if isinstance(hello.get(k), int | float)}
            if newest[node] == rev:  # what is missing is known for now, not for then
                figures["missing_rows"] = float(missing.get(node, 0))
            if received is not None and figures:
                healths.append(NodeHealth(node, received, figures))
        if healths:
            self._output.write_health(healths)  # type: ignore[attr-defined]
        self._move(conn, name, rows[-1][0])
        return True

    def _move(self, conn: sqlite3.Connection, name: str, rev: int) -> None:
        with village_store.transaction(conn):
            village_store.set_cursor(conn, name, rev)
