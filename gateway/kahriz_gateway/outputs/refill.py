# SPDX-License-Identifier: MIT
"""History once more for one output, from any date: after its database was replaced or repaired.

A request is a line in the store. The output's own follower takes it up, brings the moments point
by point between its daily work, and keeps its place: an outage or a restart only interrupts it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import Span, spans_of
from kahriz_gateway.village.moments import next_moments, points_of

MOMENTS = 2_000  # a step


@dataclass(frozen=True, slots=True)
class Refill:
    """From when on, and how far it has come: `point` "" before the first."""

    since: int
    point: str = ""
    ts: int = 0


def request(conn: sqlite3.Connection, name: str, since: int) -> None:
    """Ask for everything from `since` on; a request that still runs begins again."""
    with village_store.transaction(conn):
        _put(conn, name, Refill(since))


def pending(conn: sqlite3.Connection, name: str) -> Refill | None:
    kept = village_store.get_state(conn, _key(name))
    return None if kept is None else Refill(**kept)


def next_spans(conn: sqlite3.Connection, refill: Refill) -> tuple[Refill | None, list[Span]]:
    """The next moments, and where it stands after them (None: these were the last)."""
    later = [point for point in points_of(conn) if point >= refill.point]
    if not later:
        return None, []
    point = later[0]
    start = refill.ts if point == refill.point else refill.since
    moments, end = next_moments(conn, point, start, MOMENTS)
    spans = [span for span, _ in spans_of(moments)]
    if end is not None:
        return Refill(refill.since, point, end), spans
    following = later[1:]
    return (Refill(refill.since, following[0], refill.since) if following else None), spans


def advance(conn: sqlite3.Connection, name: str, before: Refill, after: Refill | None) -> None:
    """Keep the place, unless somebody has asked anew meanwhile."""
    with village_store.transaction(conn):
        if pending(conn, name) != before:
            return
        if after is None:
            conn.execute("DELETE FROM state WHERE key=?", (_key(name),))
        else:
            _put(conn, name, after)


def _put(conn: sqlite3.Connection, name: str, refill: Refill) -> None:
    kept = {"since": refill.since, "point": refill.point, "ts": refill.ts}
    village_store.set_state(conn, _key(name), kept)


def _key(name: str) -> str:
    return f"refill:{name}"
