# SPDX-License-Identifier: MIT
"""What the page asks village.db: newest numbers, litres of a day, averages of years, alarms.

Every question is read-only and runs along the key (point, quantity, ts); a value flagged fail or
missing (QARTOD 4, 9) is never shown as water.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_alarms.alarm import Alarm
from kahriz_gateway.page.format import OFFSET_MS
from kahriz_gateway.page.quantities import Quantity
from kahriz_gateway.village.alarms import alarm_of
from kahriz_gateway.village.store import quantities_of, value_of
from kahriz_water.totals import HOLD, Total, total

GOOD = 4  # QARTOD flags below this are shown: pass, not evaluated, suspect
SUSPECT = 3


@dataclass(frozen=True, slots=True)
class Number:
    """One number with its time; `bound` says that the water is below or above it, not equal."""

    quantity: str
    ts: int
    value: float
    u: float | None
    q: int
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """All of one stretch and one sort: measured, estimated (its time), manual, suspect, bounded."""

    ts: int
    mean: float
    low: float
    high: float
    u: float | None
    n: int
    sort: str


def sorts(what: Quantity) -> list[tuple[str, str]]:
    """The stored quantities behind one shown quantity: itself and its bounds."""
    pairs = [(what.key, "")]
    if what.below:
        pairs.append((what.below, "below"))
    if what.above:
        pairs.append((what.above, "above"))
    return pairs


def latest(conn: sqlite3.Connection, point: str, what: Quantity) -> Number | None:
    """The newest number of a quantity that is fit to be shown, bounds included."""
    found = []
    for key, bound in sorts(what):
        row = conn.execute(
            "SELECT ts, value, u, q FROM value WHERE point=? AND quantity=? AND q<?"
            " ORDER BY ts DESC LIMIT 1",
            (point, key, GOOD),
        ).fetchone()
        if row is not None:
            found.append(Number(key, row["ts"], row["value"], row["u"], row["q"], bound))
    return max(found, key=lambda n: n.ts, default=None)


def last_word(conn: sqlite3.Connection, point: str) -> int | None:
    """When anything at all, good or bad, was last measured at a point."""
    times = [
        conn.execute(
            "SELECT max(ts) FROM value WHERE point=? AND quantity=?", (point, key)
        ).fetchone()[0]
        for key in quantities_of(conn, point)
    ]
    return max(times, default=None)


def volume(
    conn: sqlite3.Connection, point: str, what: Quantity, span: tuple[int, int], dt_s: int
) -> Total | None:
    """Litres per second added up over a span, each reading until the next one."""
    start, end = span
    rows: list[sqlite3.Row] = []
    for key, _ in sorts(what):
        rows += conn.execute(
            "SELECT * FROM value WHERE point=? AND quantity=? AND ts>? AND ts<=?",
            (point, key, start - int(HOLD * dt_s * 1000), end),
        )
    return total([value_of(row) for row in rows], start, end, dt_s)


def buckets(
    conn: sqlite3.Connection, point: str, what: Quantity, span: tuple[int, int], size_ms: int
) -> list[Bucket]:
    """A span in stretches aligned to the days of Baku: mean, lowest and highest of each.

    One short question a stretch runs along the key; one GROUP BY would sort a year (twice as long).
    """
    start, end = span
    first = (start + OFFSET_MS) // size_ms * size_ms - OFFSET_MS
    result = []
    for key, bound in sorts(what):
        reach = _reach(conn, point, key, span)
        for a in range(first, end, size_ms):
            low, high = max(a, start), min(a + size_ms, end)
            if reach is None or high <= reach[0] or low > reach[1]:
                continue
            values = (point, key, low, high, GOOD)
            row = conn.execute(_ALL, values).fetchone()
            if row[0] and (bound or row[4] < SUSPECT):
                result.append(_bucket(row, low, high, bound or "measured"))
            elif row[0]:
                for question, sort in ((_FIT, "measured"), (_BAD, "suspect")):
                    part = conn.execute(question, values).fetchone()
                    if part[0]:
                        result.append(_bucket(part, low, high, sort))
    return sorted(result, key=lambda b: b.ts)


def readings(
    conn: sqlite3.Connection, point: str, what: Quantity, span: tuple[int, int]
) -> list[Bucket]:
    """Every single reading of a span, as a stretch of its own with its uncertainty."""
    result = []
    for key, bound in sorts(what):
        rows = conn.execute(
            "SELECT ts, value, u, q FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<?"
            " AND q<? AND manual=0 ORDER BY ts",
            (point, key, *span, GOOD),
        )
        for ts, value, u, q in rows:
            sort = bound or ("suspect" if q >= SUSPECT else "measured")
            result.append(Bucket(ts, value, value, value, u, 1, sort))
    return sorted(result, key=lambda b: b.ts)


def by_hand(
    conn: sqlite3.Connection, point: str, what: Quantity, span: tuple[int, int]
) -> list[Bucket]:
    """Readings of people: each for itself, never part of a mean.

    They are few and stand in `staff`: a year of values need not be read to find them.
    """
    rows = conn.execute(
        "SELECT v.ts, v.value, v.u FROM staff s CROSS JOIN value v"
        " ON v.point=s.point AND v.ts=s.at AND v.quantity=?"
        " WHERE s.point=? AND s.at>=? AND s.at<? AND v.q<? AND v.manual=1 ORDER BY s.at",
        (what.key, point, *span, GOOD),
    )
    return [Bucket(ts, value, value, value, u, 1, "manual") for ts, value, u in rows]


def guessed(conn: sqlite3.Connection, node: str, span: tuple[int, int]) -> list[int]:
    """Times that a node without a clock could only estimate."""
    rows = conn.execute(
        "SELECT ts FROM estimated WHERE node=? AND ts>=? AND ts<? ORDER BY ts", (node, *span)
    )
    return [row["ts"] for row in rows]


_ALL = (
    "SELECT count(*), avg(value), min(value), max(value), max(q) FROM value"
    " WHERE point=? AND quantity=? AND ts>=? AND ts<? AND q<? AND manual=0"
)
_IN = "SELECT ts FROM value WHERE point=? AND quantity=? AND ts>=? AND ts<?"
_FIT = f"{_ALL} AND q<{SUSPECT}"
_BAD = f"{_ALL} AND q>={SUSPECT}"


def _bucket(row: sqlite3.Row, low: int, high: int, sort: str) -> Bucket:
    return Bucket((low + high) // 2, row[1], row[2], row[3], None, row[0], sort)


def _reach(
    conn: sqlite3.Connection, point: str, key: str, span: tuple[int, int]
) -> tuple[int, int] | None:
    """Where in a span there is anything, so that years of nothing cost nothing."""
    asked = (point, key, *span)
    first = conn.execute(f"{_IN} ORDER BY ts ASC LIMIT 1", asked).fetchone()
    last = conn.execute(f"{_IN} ORDER BY ts DESC LIMIT 1", asked).fetchone()
    return None if first is None or last is None else (first[0], last[0])


def edges(conn: sqlite3.Connection, point: str, what: Quantity) -> tuple[int, int] | None:
    """The first and the last moment for which there is anything to draw."""
    ways = (
        "SELECT ts FROM value WHERE point=? AND quantity=? AND q<? ORDER BY ts ASC LIMIT 1",
        "SELECT ts FROM value WHERE point=? AND quantity=? AND q<? ORDER BY ts DESC LIMIT 1",
    )
    times = []
    for key, _ in sorts(what):
        for way in ways:
            times += [row["ts"] for row in conn.execute(way, (point, key, GOOD))]
    return (min(times), max(times)) if times else None


def alarms(conn: sqlite3.Connection, *, closed: bool, limit: int = 200) -> list[Alarm]:
    """Open alarms, oldest first, or closed ones, newest first."""
    rows = conn.execute(
        "SELECT * FROM alarm WHERE closed IS NOT NULL ORDER BY raised DESC, id DESC LIMIT ?"
        if closed
        else "SELECT * FROM alarm WHERE closed IS NULL ORDER BY raised, id LIMIT ?",
        (limit,),
    )
    return [alarm_of(r) for r in rows]


def alarms_between(
    conn: sqlite3.Connection, places: set[str], span: tuple[int, int]
) -> list[Alarm]:
    """Alarms that stood at one of the places at some time of the span."""
    rows = conn.execute(
        "SELECT * FROM alarm WHERE raised < ? AND (closed IS NULL OR closed > ?) ORDER BY raised",
        (span[1], span[0]),
    )
    return [alarm_of(r) for r in rows if r["place"] in places]
