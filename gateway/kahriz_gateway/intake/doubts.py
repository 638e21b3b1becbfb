# SPDX-License-Identifier: MIT
"""Times that came while our own clock was not believed: judged when it is.

Meanwhile nobody can say that a row lies in the future, and a village without a clock chip must go
on, so it is stored as it says. Once the time is known, what proves to lie more than a day ahead
loses its time, as `unk`; what it had said is kept in `taken_back`, and the village takes back what
it has made of it.
"""

from __future__ import annotations

import logging
import sqlite3

from kahriz_gateway.clock import AHEAD_MS
from kahriz_gateway.intake.store import get_meta, notice, put_meta

_FROM = "doubted_from"  # the first rev that was stored since the clock is not believed

log = logging.getLogger(__name__)


class Doubts:
    """Called inside each transaction, before its rows are stored."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._from: int | None = None
        self.forget()

    def forget(self) -> None:
        """After a rollback."""
        kept = get_meta(self._conn, _FROM)
        self._from = None if kept is None else int(kept)

    def look(self, now_ms: int | None) -> None:
        """`now_ms` is None while nobody knows the time."""
        if now_ms is None and self._from is None:
            newest = self._conn.execute("SELECT max(rev) FROM reading").fetchone()[0]
            self._from = (newest or 0) + 1
            put_meta(self._conn, _FROM, str(self._from))
        elif now_ms is not None and self._from is not None:
            self._judge(self._from, now_ms)
            self._conn.execute("DELETE FROM meta WHERE key=?", (_FROM,))
            self._from = None

    def _judge(self, first: int, now_ms: int) -> None:
        rows = self._conn.execute(
            "SELECT rev, node, ts, tq FROM reading WHERE rev >= ? AND ts > ? ORDER BY rev",
            (first, now_ms + AHEAD_MS),
        ).fetchall()
        for rev, _, ts, tq in rows:
            (after,) = self._conn.execute("SELECT max(rev) + 1 FROM reading").fetchone()
            self._conn.execute(
                "UPDATE reading SET rev=?, ts=NULL, tq='unk' WHERE rev=?", (after, rev)
            )
            self._conn.execute("INSERT INTO taken_back VALUES(?,?,?)", (after, ts, tq))
        if rows:
            nodes = ", ".join(sorted({node for _, node, _, _ in rows}))
            words = f"{len(rows)} readings of {nodes} said a time in the future: kept without it"
            log.error("%s", words)
            notice(self._conn, now_ms, None, "clock_went_back", words)
