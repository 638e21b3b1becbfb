# SPDX-License-Identifier: MIT
"""A pool that leaks, a sensor that was moved, a meter that drifts, and a pool that only spills."""

from __future__ import annotations

import random
from collections.abc import Callable

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.pools.pool import PoolBalance
from kahriz_detect.site import Pool

DAY, STEP_S, AREA_M2, SPILL_M = 144, 600, 200.0, 2.5
POOL = Pool("pool", "level", ("in",), ("taps", "fields"), ((0.0, 0.0), (3.0, 600.0)), SPILL_M)
BEGINS = 8 * DAY
Reads = Callable[[int, dict[str, float]], None]


def _run(
    reads: Reads, days: int = 12, leak_lps: float = 0.0, least_m3: float = 20.0
) -> list[tuple[str, str, str]]:
    """`reads` changes what the meters say, from the eighth day on; the leak is water."""
    rng, volume, found = random.Random(3), 300.0, list[Finding]()
    watch = PoolBalance(POOL, STEP_S, above={"in": "middle"})
    for i in range(days * DAY):
        hour = i % DAY / 6.0
        true = {"middle": 8.2, "in": 8.0, "taps": 2.0 + (6.0 < hour < 22.0)}
        true["fields"] = 15.0 if 5.0 <= hour < 13.0 and volume > least_m3 else 0.0
        gone = true["taps"] + true["fields"] + (leak_lps if i >= BEGINS else 0.0)
        volume += (true["in"] - gone) * STEP_S / 1000.0
        volume = min(max(volume, 0.0), SPILL_M * AREA_M2)
        read = {k: v * rng.gauss(1.0, 0.01) for k, v in true.items()}
        read["level"] = volume / AREA_M2 + rng.gauss(0.0, 0.002)
        if i >= BEGINS:
            reads(i - BEGINS, read)
        found += watch.step(Frame(i, i * STEP_S * 1000, read))
    return [(f.what, f.kind, f.place) for f in found if f.what in (RAISED, CLEARED)]


def _calm(_: int, __: dict[str, float]) -> None:
    pass


def test_a_pool_that_fills_and_empties_every_day_is_quiet() -> None:
    assert _run(_calm, days=30) == []


def test_what_runs_over_the_spill_is_no_leak() -> None:
    assert _run(_calm, days=20, least_m3=450.0) == []


def test_a_pool_that_leaks_is_told_at_its_place() -> None:
    assert _run(_calm, leak_lps=0.6) == [(RAISED, "pool_leak", "pool")]


def test_a_sensor_that_was_moved_is_no_leak_and_the_pool_is_balanced_on() -> None:
    def moved(i: int, read: dict[str, float]) -> None:
        read["level"] -= 0.25 if i < 2 * DAY else 0.0

    assert _run(moved) == [
        (RAISED, "sensor_fault:offset", "level"),
        (CLEARED, "sensor_fault:offset", "level"),
    ]


def test_a_level_that_no_water_can_have_is_told() -> None:
    def impossible(_: int, read: dict[str, float]) -> None:
        read["level"] = SPILL_M + 1.0

    assert _run(impossible) == [(RAISED, "sensor_fault:level", "level")]


def test_a_gates_meter_that_no_longer_rests_at_zero_drifts() -> None:
    def drifts(i: int, read: dict[str, float]) -> None:
        read["fields"] += 0.4 * i / DAY

    assert _run(drifts, days=14)[0] == (RAISED, "sensor_fault:drift", "fields")


def test_a_leaf_in_the_weir_at_the_inlet_is_no_leak_of_the_pool() -> None:
    def leaf(_: int, read: dict[str, float]) -> None:
        read["in"] += 1.0

    assert _run(leaf) == [(RAISED, "fouled_weir", "in")]
