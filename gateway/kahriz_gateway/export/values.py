# SPDX-License-Identifier: MIT
"""Every interpreted value: a line each with all that is known of it, or a line a moment.

The long table is complete: read back into an empty store it gives the same store. The wide one is
for a spreadsheet: numbers that failed are left out there, their flags stay.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo

from kahriz_gateway.export.provenance import Span, iso, ms
from kahriz_gateway.export.table_file import Row
from kahriz_gateway.outputs.csv_file import cells_of, columns, title_of
from kahriz_gateway.records.approvals import standing
from kahriz_gateway.village.changes import Span as Moments
from kahriz_gateway.village.moments import FINAL, next_moments, points_of, values_in
from kahriz_gateway.village.store import quantities_of
from kahriz_water.value import Value
from kahriz_wire.fields import FIELDS

LONG = (
    *("point", "quantity", "time", "value", "unit", "u", "u_random", "q", "bound", "manual"),
    "approval",
)
BOUND = {"discharge_lt_lps": "<", "discharge_gt_lps": ">"}
PAGE = 5_000
DAY_MS = 86_400_000


def count(conn: sqlite3.Connection, span: Span) -> int:
    """How many values lie in a span, for the progress bar."""
    asked = "SELECT count(*) FROM value WHERE ts>=? AND ts<?"
    return int(conn.execute(asked, (span.start, span.end)).fetchone()[0])


def long_rows(
    conn: sqlite3.Connection, span: Span, zone: tzinfo, after: Sequence[str] | None
) -> Iterator[Row]:
    """By point, quantity and time; a page at a time, so that nobody waits for a lock."""
    mark = (after[0], after[1], ms(after[2])) if after else ("", "", 0)
    for point in points_of(conn):
        for quantity in quantities_of(conn, point):
            if (point, quantity) < mark[:2]:
                continue
            past = mark[2] if (point, quantity) == mark[:2] else span.start - 1
            yield from _pages(conn, point, quantity, past, span.end, zone)


def _pages(
    conn: sqlite3.Connection, point: str, quantity: str, past: int, end: int, zone: tzinfo
) -> Iterator[Row]:
    unit = FIELDS[quantity][0] if quantity in FIELDS else ""
    asked = (
        "SELECT ts, value, u, u_random, q, manual FROM value WHERE point=? AND quantity=?"  # noqa: S608
        f" AND ts>? AND ts<? AND {FINAL} ORDER BY ts LIMIT {PAGE}"
    )
    held = standing(conn, point)
    while True:
        rows = conn.execute(asked, (point, quantity, past, end, point)).fetchall()
        approval = held.of(quantity, (row[0] for row in rows))
        for ts, value, u, u_random, q, manual in rows:
            yield (
                *(point, quantity, iso(ts, zone), repr(value), unit, _or_not(u)),
                *(_or_not(u_random), str(q), BOUND.get(quantity, ""), str(manual), approval[ts]),
            )
        if len(rows) < PAGE:
            return
        past = rows[-1][0]


REPLAY = ("time", "sensor", "quantity", "value", "q")


def replay_rows(conn: sqlite3.Connection, span: Span) -> Iterator[Row]:
    """In order of time, as `kahriz replay` reads them; a day at a time."""
    bounds = conn.execute("SELECT min(ts), max(ts) FROM value").fetchone()
    if bounds[0] is None:
        return
    known = [(point, name) for point in points_of(conn) for name in quantities_of(conn, point)]
    for start in range(max(span.start, bounds[0]), min(span.end, bounds[1] + 1), DAY_MS):
        end = min(start + DAY_MS, span.end)
        asked = (
            "SELECT ts, value, q FROM value"  # noqa: S608
            f" WHERE point=? AND quantity=? AND ts>=? AND ts<? AND {FINAL}"
        )
        day = [
            (ts, point, quantity, value, q)
            for point, quantity in known
            for ts, value, q in conn.execute(asked, (point, quantity, start, end, point))
        ]
        for ts, point, quantity, value, q in sorted(day):
            yield iso(ts, UTC), point, quantity, repr(value), str(q)


def value_of(row: dict[str, str]) -> Value:
    """A line of the long table as the value it was."""
    return Value(
        row["point"],
        row["quantity"],
        ms(row["time"]),
        float(row["value"]),
        float(row["u"]) if row["u"] else None,
        int(row["q"]),
        float(row["u_random"]) if row["u_random"] else None,
        bool(int(row["manual"])),
    )


def wide_head(conn: sqlite3.Connection) -> list[str]:
    """Columns of what any point has: quantity, its uncertainty where it can have one, its flag."""
    known = sorted({q for point in points_of(conn) for q in quantities_of(conn, point)})
    certain = conn.execute("SELECT quantity FROM value WHERE u IS NOT NULL GROUP BY quantity")
    with_u = {row[0] for row in certain}
    return columns(
        [
            [Value("", quantity, 0, 0.0, 0.0 if quantity in with_u else None, 1)]
            for quantity in known
        ]
    )


def wide_columns(head: Sequence[str]) -> Row:
    return ["point", "time", *map(title_of, head)]


def wide_rows(
    conn: sqlite3.Connection,
    span: Span,
    zone: tzinfo,
    head: Sequence[str],
    after: Sequence[str] | None,
) -> Iterator[Row]:
    """A line a (point, time)."""
    for point in points_of(conn):
        if after and point < after[0]:
            continue
        start: int | None = ms(after[1]) + 1 if after and point == after[0] else span.start
        while start is not None and start < span.end:
            moments, end = next_moments(conn, point, start, PAGE)
            stop = span.end if end is None else min(end, span.end)
            rows: dict[int, list[Value]] = {ts: [] for _, ts in moments if ts < stop}
            for value in values_in(conn, [Moments(point, start, stop - 1)]):
                rows[value.ts].append(value)
            for ts in sorted(rows):
                yield [point, *cells_of((ts, rows[ts]), head, zone)]
            start = end


def _or_not(number: float | None) -> str:
    return "" if number is None else repr(number)
