# SPDX-License-Identifier: MIT
"""Moments of the store, (point, ts), as outputs read them: the values of a span, the next span.

A moment is told whole, with all its quantities, because InfluxDB merges what is written twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kahriz_gateway.village.changes import Moment as Moment
from kahriz_gateway.village.changes import Span
from kahriz_gateway.village.store import quantities_of
from kahriz_water.value import Value

FOREVER = 1 << 62
MISSING = 9  # QARTOD: there is no number
# A condition on a row of `value` that takes the point once more: that its time is no estimate, or
# one that will not get better (estimates.py).
FINAL = (
    "ts NOT IN (SELECT ts FROM estimated WHERE node IN (SELECT node FROM deployment WHERE point=?)"
    " AND ts > coalesce((SELECT CAST(value AS INTEGER) FROM state WHERE key='estimates_told'), 0))"
)
_IN_A_SPAN = " AND ".join(
    ("SELECT ts, value, u, q FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<=?", FINAL)
)


def values_in(conn: sqlite3.Connection, spans: Iterable[Span]) -> list[Value]:
    """All values of each moment, but of those whose time is still an estimate."""
    known: dict[str, list[str]] = {}
    found: list[Value] = []
    for point, a, b in spans:
        if point not in known:
            known[point] = quantities_of(conn, point)
        for quantity in known[point]:
            rows = conn.execute(
                _IN_A_SPAN,
                (point, quantity, a, b, point),
            )
            found += [Value(point, quantity, ts, value, u, q) for ts, value, u, q in rows]
    return found


def gone_from(
    conn: sqlite3.Connection, spans: Iterable[Span], told: Iterable[Value]
) -> list[Value]:
    """Moments of which nothing stands any more, as missing: for outputs that cannot forget."""
    found: list[Value] = []
    there = {(value.point, value.ts) for value in told}
    for point, a, b in spans:
        if a != b or (point, a) in there:
            continue
        known = quantities_of(conn, point)
        asked = "SELECT 1 FROM value WHERE point=? AND quantity=? AND ts=?"
        if not any(conn.execute(asked, (point, quantity, a)).fetchone() for quantity in known):
            found += [Value(point, quantity, a, 0.0, None, MISSING) for quantity in known]
    return found


def next_moments(
    conn: sqlite3.Connection, point: str, since: int, limit: int
) -> tuple[list[Moment], int | None]:
    """A point's next moments from `since` on, and where to go on (None: there is no more)."""
    ends = []
    known = quantities_of(conn, point)
    for quantity in known:
        row = conn.execute(
            "SELECT ts FROM value WHERE point=? AND quantity=? AND ts>=? ORDER BY ts"
            " LIMIT 1 OFFSET ?",
            (point, quantity, since, limit),
        ).fetchone()
        if row is not None:
            ends.append(int(row["ts"]))
    end = min(ends, default=None)
    found: set[int] = set()
    for quantity in known:
        rows = conn.execute(
            f"SELECT ts FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<? AND {FINAL}",  # noqa: S608
            (point, quantity, since, FOREVER if end is None else end, point),
        )
        found.update(int(r["ts"]) for r in rows)
    return [(point, ts) for ts in sorted(found)], end


def points_of(conn: sqlite3.Connection) -> list[str]:
    """Every point that has a value: a few index hops, however long the history."""
    rows = conn.execute(
        "WITH RECURSIVE hop(x) AS (SELECT min(point) FROM value UNION ALL"
        " SELECT (SELECT min(point) FROM value WHERE point > x) FROM hop WHERE x IS NOT NULL)"
        " SELECT x FROM hop WHERE x IS NOT NULL"
    )
    return [str(r["x"]) for r in rows]
