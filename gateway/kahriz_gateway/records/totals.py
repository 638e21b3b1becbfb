# SPDX-License-Identifier: MIT
"""Volumes of a span from the store: past a point, and what a reach lost between its two."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan, Point, Reach
from kahriz_water.totals import BOUNDS, HOLD, Total, total
from kahriz_water.value import Value


@dataclass(frozen=True, slots=True)
class Balance:
    """What went in above and did not come out below; two instruments, each with its own error."""

    above: Total
    below: Total
    lost_m3: float
    u_m3: float

    @property
    def certain(self) -> bool:
        """Whether the loss is more than what the two weirs do not know."""
        return self.lost_m3 > self.u_m3


def total_of(conn: sqlite3.Connection, point: Point, start_ms: int, end_ms: int) -> Total | None:
    """Water past a point from `start_ms` to `end_ms`; manual readings count."""
    values: list[Value] = []
    for quantity in BOUNDS:
        rows = conn.execute(
            "SELECT * FROM value WHERE point=? AND quantity=? AND ts>? AND ts<?",
            (point.id, quantity, start_ms - int(HOLD * point.dt_s * 1000), end_ms),
        )
        values += [village_store.value_of(row) for row in rows]
    return total(values, start_ms, end_ms, point.dt_s)


def balance_of(
    conn: sqlite3.Connection, plan: Plan, reach: Reach, start_ms: int, end_ms: int
) -> Balance | None:
    """Inflow minus outflow of a reach; None when either end says nothing."""
    ends = [plan.point(reach.from_), plan.point(reach.to)]
    found = [None if p is None else total_of(conn, p, start_ms, end_ms) for p in ends]
    above, below = found
    if above is None or below is None:
        return None
    return Balance(above, below, *above.minus(below))
