# SPDX-License-Identifier: MIT
"""What the device beside a gauging said at that time."""

from __future__ import annotations

import sqlite3

from kahriz_gateway.village import store as village_store
from kahriz_water.site import Point

NEAR = 1.5  # intervals between the gauging and the device's value beside it


def device_beside(
    conn: sqlite3.Connection, point: Point, at_ms: int
) -> tuple[float | None, float | None]:
    """What the device says within 1.5 intervals of the gauging: discharge and stage, means."""
    near_ms = int(NEAR * point.dt_s * 1000)

    def mean(quantity: str) -> float | None:
        near = village_store.values_between(
            conn, point.id, quantity, at_ms - near_ms - 1, at_ms + near_ms
        )
        good = [v.value for v in near if v.q < 3]
        return sum(good) / len(good) if good else None

    return mean("discharge_lps"), mean("stage_m")
