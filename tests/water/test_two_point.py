# SPDX-License-Identifier: MIT
"""A pressure sensor calibrated at two depths: what is kept, what is refused, what is not known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kahriz_water import pool
from kahriz_water.deployment import Deployment
from kahriz_water.records import U_ZERO_M, Records, Zero
from kahriz_water.strict import ConfigError
from kahriz_water.two_point import calibrated

AT = Deployment("pool", "level", "pool", 0, zero_m=0.0, span_m=3.0)


def reads(
    *depths: float, span_m: float = 3.0, hangs_m: float = 0.0, noise_ma: float = 0.0
) -> list[tuple[float, float]]:
    """Three readings at each depth, as a sensor of this span gives them."""
    return [
        (depth, 4.0 + 16.0 * (depth - hangs_m) / span_m + k * noise_ma)
        for depth in depths
        for k in (-1, 0, 1)
    ]


def test_two_depths_give_zero_and_span_with_who_and_from_what() -> None:
    found = calibrated(AT, reads(0.5, 2.0, span_m=3.02, hangs_m=0.05), "R. Quliyev", 77)
    assert (found.node, found.channel, found.from_ms, found.who) == (
        "pool",
        "level",
        77,
        "R. Quliyev",
    )
    assert found.span_m == pytest.approx(3.02, abs=0.001)
    assert found.zero_m == pytest.approx(0.05, abs=0.001)
    assert found.u_m == pytest.approx(U_ZERO_M, abs=1e-4)
    assert "0.500 m: 6.384 mA (3 readings)" in found.note
    assert "deployed with 0.000 m and 3 m" in found.note


def test_a_sensor_raised_on_its_cable_gets_its_zero_from_where_it_hangs() -> None:
    found = calibrated(AT, reads(0.2, 2.0), "R. Q.", 0, hangs_m=0.35)
    assert found.zero_m == pytest.approx(0.35, abs=1e-3)
    with pytest.raises(ConfigError, match=r"the water's surface.*found '\+150 mm'"):
        calibrated(AT, reads(0.2, 2.0, hangs_m=0.15), "R. Q.", 0, hangs_m=0.35)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (reads(0.5, 1.6), "at least 1.20 m apart.*found '1.100 m'"),
        (reads(0.5), "two depths, each with its readings; found '0.5 m'"),
        (reads(0.5, 1.0, 2.0), "two depths"),
        ([], "two depths, each with its readings; found 'none'"),
        (reads(0.5, 2.0)[:-1], "3 readings at 2 m or more; found 2"),
        (reads(0.5, 2.0, noise_ma=0.05), "within 10 mm of each other at 0.5 m.*found '19 mm'"),
        (reads(0.5, 2.0, span_m=5.0), r"a slope of 3 m for 16 mA within 1.5%.*5.000 m \(\+66.7%\)"),
        (reads(0.5, 2.0, span_m=3.3), r"3.300 m \(\+10.0%\) from 0.500 m: 6.424 mA"),
        ([(d, 12.0) for d, _ in reads(0.5, 2.0)], "a current that falls"),
        ([(d, 24.0 - c) for d, c in reads(0.5, 2.0)], "a current that falls"),
        ([(d, 3.5) for d, _ in reads(0.5, 2.0)], "a current from 3.8 to 20.5 mA; found 3.5"),
        ([(d, math.nan) for d, _ in reads(0.5, 2.0)], "a current from 3.8"),
        ([(d * 100, c) for d, c in reads(0.5, 2.0)], "a depth from -1 to 50 m; found 200"),
    ],
)
def test_what_a_sensor_cannot_be_is_refused_with_the_numbers(
    given: list[tuple[float, float]], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        calibrated(AT, given, "R. Q.", 0)


def test_only_a_current_sensor_and_only_with_a_name() -> None:
    with pytest.raises(ConfigError, match="a point whose sensor is 4-20 mA"):
        calibrated(replace(AT, span_m=None), reads(0.5, 2.0), "R. Q.", 0)
    with pytest.raises(ConfigError, match="a point whose sensor is 4-20 mA"):
        calibrated(None, reads(0.5, 2.0), "R. Q.", 0)
    with pytest.raises(ConfigError, match="somebody answers for it"):
        calibrated(AT, reads(0.5, 2.0), " ", 0)


def test_the_span_is_known_best_between_the_two_depths_and_the_nearer_they_are_the_worse() -> None:
    wide = calibrated(AT, reads(0.2, 2.8), "R. Q.", 0)
    near = calibrated(AT, reads(1.0, 2.2), "R. Q.", 0)
    assert wide.u_span_m is not None
    assert near.u_span_m is not None
    assert near.u_span_m == pytest.approx(wide.u_span_m * 2.6 / 1.2, rel=0.01)
    assert pool.u_away_m(near.pivot_ma or 0, near.pivot_ma, near.u_span_m) == 0.0
    assert pool.u_away_m(20.0, near.pivot_ma, near.u_span_m) > 0.01


def test_a_later_zero_leaves_the_span_and_a_new_sensor_begins_with_its_own() -> None:
    both = calibrated(AT, reads(0.5, 2.0, span_m=3.02), "R. Q.", 10)
    moved = Zero("pool", "level", 20, 0.3)
    records = Records(deployments=(AT,), zeros=(both, moved))
    after = records.zero_at(AT, 25)
    assert after is not None
    assert (after.zero_m, after.span_m, after.pivot_ma) == (0.3, both.span_m, both.pivot_ma)
    before = records.zero_at(AT, 5)
    assert before is not None
    assert (before.span_m, before.u_span_m) == (3.0, None)
    swapped = replace(AT, from_ms=30, span_m=5.0)
    assert (records.zero_at(swapped, 35) or both).span_m == 5.0
