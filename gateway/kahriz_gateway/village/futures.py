# SPDX-License-Identifier: MIT
"""Moments that proved to lie in the future: intake has taken back their rows' time.

A reading that came while nobody knew the time stands under the time that it said, until the clock
is set (intake/doubts.py). What was made of it goes then, and the outputs are told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from kahriz_gateway.village.changes import put_changed
from kahriz_gateway.village.rows import Row


def said_before(readings: sqlite3.Connection, rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Node and time of those rows that have lost one."""
    revs = {row.rev: row.node for row in rows if row.ts is None}
    known = "SELECT 1 FROM sqlite_master WHERE name='taken_back'"
    if not revs or readings.execute(known).fetchone() is None:  # a store that intake has not opened
        return []
    asked = "SELECT ts FROM taken_back WHERE rev=?"
    found = [(node, readings.execute(asked, (rev,)).fetchone()) for rev, node in revs.items()]
    return [(node, int(row[0])) for node, row in found if row is not None]


def take_out(village: sqlite3.Connection, points: Sequence[str], ts: int) -> None:
    """Inside a transaction: nothing of these points stands at that time any more."""
    for point in points:
        gone = village.execute("DELETE FROM value WHERE point=? AND ts=? AND manual=0", (point, ts))
        if gone.rowcount:
            put_changed(village, [(point, ts)])  # by itself, so that it is not passed over


def newest_before(readings: sqlite3.Connection, node: str, ts: int) -> int | None:
    """How far a node had come before that time."""
    row = readings.execute(
        "SELECT ts FROM reading WHERE node=? AND ts < ? ORDER BY rev DESC LIMIT 1", (node, ts)
    ).fetchone()
    return None if row is None else int(row[0])
