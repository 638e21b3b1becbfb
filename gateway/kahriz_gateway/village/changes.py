# SPDX-License-Identifier: MIT
"""What outputs have not been handed yet: spans of a point's moments, in the order they changed.

A line of `changed` says that some moments of a point from `a` to `b` are new or otherwise. Its
`rev` counts moments, so that two of them apart are so many moments behind. Who follows reads all
that stands in the span: what is told twice does no harm, what is not told does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

Moment = tuple[str, int]  # point, ts
FAR_MS = 3_600_000  # moments further apart make two spans
PRUNED = "changed:pruned"  # the name of a mark among the cursors
SPAN_MOST = 500  # moments of a span: a step of a follower stays small


class Span(NamedTuple):
    """The moments of a point from `a` to `b`, both included."""

    point: str
    a: int
    b: int


def put_changed(conn: sqlite3.Connection, moments: Iterable[Moment]) -> None:
    """Inside a transaction: these moments are to be told; one that is gone altogether by itself,

    for between others nobody would miss it.
    """
    rev = newest(conn)
    lines = []
    for span, count in spans_of(moments):
        rev += count
        lines.append((rev, *span))
    conn.executemany("INSERT INTO changed(rev, point, a, b) VALUES(?,?,?,?)", lines)


def newest(conn: sqlite3.Connection) -> int:
    """The mark of one who has been told everything."""
    return int(conn.execute("SELECT coalesce(max(rev), 0) FROM changed").fetchone()[0])


def changed_since(conn: sqlite3.Connection, rev: int, limit: int) -> tuple[int, list[Span]]:
    """What has changed after `rev`, about `limit` moments at most, and the new mark."""
    spans, mark = [], rev
    rows = conn.execute("SELECT rev, point, a, b FROM changed WHERE rev > ? ORDER BY rev", (rev,))
    for upto, point, a, b in rows:
        spans.append(Span(point, a, b))
        mark = int(upto)
        if mark - rev >= limit:
            break
    return mark, list(dict.fromkeys(spans))


def prune(conn: sqlite3.Connection, outputs: Iterable[str]) -> int:
    """Inside a transaction: forget what all these outputs have been told; how many lines went.

    The newest line stays for its number.
    """
    marks = dict(conn.execute("SELECT name, rev FROM cursor"))
    told = min([newest(conn), *(marks.get(name, 0) for name in outputs)])
    sql = "DELETE FROM changed WHERE rev <= ? AND rev < ?"
    gone = conn.execute(sql, (told, newest(conn))).rowcount
    if gone:
        conn.execute("INSERT OR REPLACE INTO cursor(name, rev) VALUES(?,?)", (PRUNED, told))
    return gone


def pruned_upto(conn: sqlite3.Connection) -> int:
    """Up to here nothing is kept: who has been told less must be given the whole history."""
    row = conn.execute("SELECT rev FROM cursor WHERE name=?", (PRUNED,)).fetchone()
    return 0 if row is None else int(row[0])


def spans_of(moments: Iterable[Moment]) -> list[tuple[Span, int]]:
    """Neighbours together, with how many they are."""
    found: list[tuple[Span, int]] = []
    point, a, b, count = "", 0, 0, 0
    for name, ts in sorted(set(moments)):
        if count and name == point and ts - b <= FAR_MS and count < SPAN_MOST:
            b, count = ts, count + 1
            continue
        if count:
            found.append((Span(point, a, b), count))
        point, a, b, count = name, ts, ts, 1
    if count:
        found.append((Span(point, a, b), count))
    return found
