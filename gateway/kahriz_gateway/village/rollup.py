# SPDX-License-Identifier: MIT
"""Hours of values: mean, lowest, highest, how many, and how much of the hour they speak for.

Nothing is kept: an hour is worked out from the stored values whenever one of them has changed, so
that late and recomputed values mend it, and doing it twice gives the same. Hours are those of UTC
(and of Baku, four of them away).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kahriz_gateway.village.changes import Moment, Span
from kahriz_gateway.village.moments import FINAL, MISSING
from kahriz_gateway.village.store import quantities_of
from kahriz_water.site import Plan

HOUR_MS = 3_600_000
FAIL = 4  # QARTOD: from here on a number does not count
DT_S = 300  # of a point that the plan no longer has

_HOUR = " AND ".join(
    (
        "SELECT count(*), avg(value), min(value), max(value), avg(u), min(q) FROM value"
        " WHERE point=? AND quantity=? AND ts>=? AND ts<? AND q<?",
        FINAL,
    )
)


@dataclass(frozen=True, slots=True)
class Hour:
    """One quantity of one point in the hour from `ts` on; no `mean` where `n` is 0.

    `u` is the mean of the values' uncertainties: its systematic part does not average away.
    """

    point: str
    quantity: str
    ts: int
    mean: float | None
    low: float | None
    high: float | None
    u: float | None
    n: int
    coverage: float
    q: int


def hours_of(spans: Iterable[Span]) -> list[Moment]:
    """The hours that these spans touch, each once."""
    touched = (
        (point, start)
        for point, a, b in spans
        for start in range(a // HOUR_MS * HOUR_MS, b + 1, HOUR_MS)
    )
    return list(dict.fromkeys(touched))


def hours(conn: sqlite3.Connection, plan: Plan, wanted: Iterable[Moment]) -> Iterator[Hour]:
    """Each quantity that a point has ever had, in each wanted hour: also when nothing is left."""
    known: dict[str, list[str]] = {}
    for point, start in wanted:
        if point not in known:
            known[point] = quantities_of(conn, point)
        for quantity in known[point]:
            yield hour(conn, plan, point, quantity, start)


def hour(conn: sqlite3.Connection, plan: Plan, point: str, quantity: str, start: int) -> Hour:
    """One hour; values whose time is still an estimate wait for their true hour."""
    found = conn.execute(
        _HOUR,
        (point, quantity, start, start + HOUR_MS, FAIL, point),
    ).fetchone()
    n, mean, low, high, u, q = found
    planned = plan.point(point)
    dt_ms = (planned.dt_s if planned else DT_S) * 1000
    coverage = min(1.0, n * dt_ms / HOUR_MS)
    flag = MISSING if q is None else int(q)
    return Hour(point, quantity, start, mean, low, high, u, int(n), coverage, flag)
