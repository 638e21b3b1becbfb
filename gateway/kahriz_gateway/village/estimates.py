# SPDX-License-Identifier: MIT
"""Estimated times that will not get better: after two days outputs are told of them as they are.

A node dates its rows anew while it still holds them unreceipted; what has lain here for two days
has its last time, unless a store is restored. Were it never told, a day without the access point
would be a gap in every database for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import put_changed

LAST_MS = 2 * 86_400_000
KEY = "estimates_told"  # up to this time of a row; moments.FINAL reads it too


def told_upto(conn: sqlite3.Connection) -> int:
    """Estimates up to here count as final."""
    return int(village_store.get_state(conn, KEY) or 0)


def tell(conn: sqlite3.Connection, points_of: Callable[[str], Sequence[str]], now_ms: int) -> int:
    """Inside a transaction, with a clock that is believed: how many rows became final."""
    before, upto = told_upto(conn), now_ms - LAST_MS
    village_store.set_state(conn, KEY, upto)  # also when the clock was put back
    rows = conn.execute(
        "SELECT node, ts FROM estimated WHERE ts > ? AND ts <= ?", (before, upto)
    ).fetchall()
    put_changed(conn, [(point, row["ts"]) for row in rows for point in points_of(row["node"])])
    return len(rows)
