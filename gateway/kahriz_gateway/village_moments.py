# SPDX-License-Identifier: MIT
"""Moments of the store, (point, ts): which have changed since, which there are from a day on.

A moment is told whole, with all its quantities, because InfluxDB merges what is written twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from kahriz_gateway.village_store import quantities_of
from kahriz_water.value import Value

Moment = tuple[str, int]  # point, ts
FOREVER = 1 << 62
# A condition on a row of `value` that takes the point once more: that its time is no estimate.
FINAL = (
    "ts NOT IN (SELECT ts FROM estimated WHERE node IN (SELECT node FROM deployment WHERE point=?))"
)


def changed_since(conn: sqlite3.Connection, rev: int, limit: int) -> tuple[int, list[Moment]]:
    """The moments touched after `rev`, each once, and the new mark."""
    rows = conn.execute(
        "SELECT rev, point, ts FROM change WHERE rev > ? ORDER BY rev LIMIT ?", (rev, limit)
    ).fetchall()
    if not rows:
        return rev, []
    return int(rows[-1]["rev"]), list(dict.fromkeys((r["point"], r["ts"]) for r in rows))


def moments_from(
    conn: sqlite3.Connection, point: str, since: int, limit: int, before: int = FOREVER
) -> tuple[int | None, list[Moment]]:
    """A point's next moments from `since` on, and where to go on (None: there is no more)."""
    ends = []
    known = quantities_of(conn, point)
    for quantity in known:
        row = conn.execute(
            "SELECT ts FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<?"
            " ORDER BY ts LIMIT 1 OFFSET ?",
            (point, quantity, since, before, limit),
        ).fetchone()
        if row is not None:
            ends.append(int(row["ts"]))
    end = min(ends, default=None)
    found: set[int] = set()
    for quantity in known:
        rows = conn.execute(
            f"SELECT ts FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<? AND {FINAL}",  # noqa: S608
            (point, quantity, since, before if end is None else end, point),
        )
        found.update(int(r["ts"]) for r in rows)
    return end, [(point, ts) for ts in sorted(found)]


def values_at(conn: sqlite3.Connection, moments: Iterable[Moment]) -> list[Value]:
    """All values of each moment, in order of time; one that is gone is left out."""
    times: dict[str, list[int]] = {}
    for point, ts in moments:
        times.setdefault(point, []).append(ts)
    values = [
        Value(point, quantity, ts, value, u, q)
        for point, wanted in times.items()
        for quantity in quantities_of(conn, point)
        for ts, value, u, q in conn.execute(
            "SELECT ts, value, u, q FROM value WHERE point=? AND quantity=?"
            " AND ts IN (SELECT value FROM json_each(?))",
            (point, quantity, json.dumps(wanted)),
        )
    ]
    values.sort(key=lambda v: v.ts)
    return values


def points_of(conn: sqlite3.Connection) -> list[str]:
    """Every point that has a value: a few index hops, however long the history."""
    rows = conn.execute(
        "WITH RECURSIVE hop(x) AS (SELECT min(point) FROM value UNION ALL"
        " SELECT (SELECT min(point) FROM value WHERE point > x) FROM hop WHERE x IS NOT NULL)"
        " SELECT x FROM hop WHERE x IS NOT NULL"
    )
    return [str(r["x"]) for r in rows]
