# SPDX-License-Identifier: MIT
"""Volumes: what averages away and what does not, bounds as a range, coverage, manual values."""

from __future__ import annotations

import math
import random

import pytest

from kahriz_water.structures.v_notch import VNotch
from kahriz_water.totals import Total, total
from kahriz_water.value import Value

DT_S = 300
DT_MS = DT_S * 1000
WEIR = VNotch(90)


def flow(k: int, lps: float = 12.0, u: float = 1.2, u_random: float = 0.5, q: int = 1) -> Value:
    return Value("outlet", "discharge_lps", k * DT_MS, lps, u, q, u_random)


def of(values: list[Value], n: int) -> Total:
    found = total(values, 0, n * DT_MS, DT_S)
    assert found is not None
    return found


@pytest.mark.parametrize("n", [1, 100, 10_000])
def test_the_systematic_part_is_not_averaged_away_and_the_random_one_is(n: int) -> None:
    found = of([flow(k) for k in range(n)], n)
    m3 = 12.0 * n * DT_S / 1000
    assert found.m3 == pytest.approx(m3)
    systematic = math.sqrt(1.2**2 - 0.5**2) / 12.0
    assert found.u_systematic_m3 / m3 == pytest.approx(systematic)
    assert found.u_random_m3 / m3 == pytest.approx(0.5 / 12.0 / math.sqrt(n))


def test_a_zero_that_is_off_makes_a_year_as_wrong_as_a_reading_and_the_total_says_so() -> None:
    dice, true_m, off_m, noise_m = random.Random(4), 0.150, 0.003, 0.002
    values = []
    for k in range(2_000):
        stage_m = true_m + off_m + dice.gauss(0.0, noise_m)
        flow_of = WEIR.discharge(stage_m, math.hypot(off_m, noise_m), noise_m)
        assert flow_of.lps is not None
        values.append(
            Value("outlet", "discharge_lps", k * DT_MS, flow_of.lps, flow_of.u_lps, 1,
                  flow_of.u_random_lps)
        )  # fmt: skip
    found = of(values, 2_000)
    true_m3 = WEIR.free_flow_m3s(true_m) * 2_000 * DT_S
    assert (found.m3 - true_m3) / true_m3 == pytest.approx(2.5 * off_m / true_m, rel=0.05)
    assert abs(found.m3 - true_m3) < found.u_m3
    assert found.u_random_m3 < 0.05 * found.u_systematic_m3


def test_the_balance_of_two_weirs_keeps_the_errors_of_both() -> None:
    above = of([flow(k, 12.0) for k in range(5_000)], 5_000)
    below = of([flow(k, 11.5) for k in range(5_000)], 5_000)
    lost_m3, u_m3 = above.minus(below)
    assert lost_m3 == pytest.approx(0.5 * 1_500)
    assert u_m3 == pytest.approx(math.hypot(above.u_m3, below.u_m3))
    assert u_m3 > 2 * lost_m3, "half a litre of twelve is not seen by two weirs of 10 %"


def test_a_bound_is_counted_as_a_range_and_never_as_nothing() -> None:
    dry = [flow(k)._replace(quantity="discharge_lt_lps", value=1.249, u=None) for k in range(50)]
    found = of([*dry, *(flow(k) for k in range(50, 100))], 100)
    assert found.m3 == pytest.approx(12.0 * 50 * DT_S / 1000)
    assert found.most_m3 == pytest.approx(found.m3 + 1.249 * 50 * DT_S / 1000)
    assert found.coverage == pytest.approx(1.0)


def test_a_flood_has_no_upper_end() -> None:
    flood = flow(1)._replace(quantity="discharge_gt_lps", value=122.2, u=None)
    found = of([flow(0), flood, flow(2)], 3)
    assert found.most_m3 is None
    assert found.m3 == pytest.approx((12.0 + 122.2 + 12.0) * DT_S / 1000)


def test_what_nobody_measured_is_not_covered_and_not_counted() -> None:
    found = of([flow(0), flow(1), flow(90), flow(91, q=4)], 100)
    assert found.coverage == pytest.approx((1 + 2.5 + 1) / 100)
    assert found.m3 == pytest.approx(12.0 * 4.5 * DT_S / 1000)
    assert total([], 0, DT_MS, DT_S) is None


def test_a_manual_reading_counts_and_is_counted() -> None:
    found = of([flow(0), flow(1)._replace(manual=True, q=2), flow(2)], 3)
    assert (found.readings, found.manual) == (3, 1)
    assert found.m3 == pytest.approx(12.0 * 3 * DT_S / 1000)


def test_a_value_without_a_random_part_is_systematic_as_a_whole() -> None:
    values = [flow(k)._replace(u_random=None) for k in range(400)]
    found = of(values, 400)
    assert found.u_m3 / found.m3 == pytest.approx(0.1)
