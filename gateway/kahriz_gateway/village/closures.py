# SPDX-License-Identifier: MIT
"""What people told to be closed (maintenance, a closure, a turn through a gate), for detectors."""

from __future__ import annotations

import sqlite3

from kahriz_detect.closure import REBOUNDS_MS, Closure


def told(conn: sqlite3.Connection, after_ms: int) -> list[Closure]:
    """Those that were not over, or not settled, at a time; each as it is known now."""
    rows = conn.execute(
        "SELECT place, from_ms, to_ms FROM maintenance WHERE to_ms > ? ORDER BY id",
        (after_ms - REBOUNDS_MS,),
    )
    return [Closure(str(place), int(from_ms), int(to_ms)) for place, from_ms, to_ms in rows]
