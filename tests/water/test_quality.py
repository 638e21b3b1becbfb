# SPDX-License-Identifier: MIT
"""The quality tests: the same flags as ioos_qc, and what they do to a day of readings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_water import quality_tests as ours
from kahriz_water.plan import parse_plan
from kahriz_water.quality_limits import DEFAULTS, Limits, limits_of
from kahriz_water.strict import ConfigError

DT_MS = 300_000
NUMBER = st.integers(-40, 40).map(lambda k: k / 8)  # exact in binary: no flag hangs on rounding
SERIES = st.lists(NUMBER, min_size=3, max_size=60)
GAPPY = st.lists(st.one_of(st.none(), NUMBER), min_size=3, max_size=60)
THRESHOLD = st.integers(1, 40).map(lambda k: k / 8 + 1 / 16)


def _theirs(series: list[float | None]) -> list[float]:
    return [math.nan if x is None else x for x in series]


def _times(n: int) -> list[int]:
    return [k * DT_MS for k in range(n)]


@pytest.fixture(scope="module")
def qartod() -> object:
    import ioos_qc.qartod  # 75 MB: only here, as an oracle

    return ioos_qc.qartod


@given(GAPPY, THRESHOLD, THRESHOLD)
def test_the_gross_range_is_that_of_ioos(
    qartod: object, series: list[float | None], fail: float, suspect: float
) -> None:
    wide = (-fail - 1.0, fail + suspect)
    narrow = (-fail, suspect)
    theirs = qartod.gross_range_test(_theirs(series), wide, narrow)  # type: ignore[attr-defined]
    assert ours.gross_range(series, wide, narrow) == theirs.tolist()


@given(GAPPY, THRESHOLD, THRESHOLD)
def test_spikes_are_those_of_ioos(
    qartod: object, series: list[float | None], suspect: float, more: float
) -> None:
    theirs = qartod.spike_test(  # type: ignore[attr-defined]
        _theirs(series), suspect, suspect + more, method="differential"
    )
    assert ours.spike(series, suspect, suspect + more) == theirs.tolist()


@given(GAPPY, THRESHOLD, THRESHOLD)
def test_rates_of_change_are_those_of_ioos(
    qartod: object, series: list[float | None], suspect: float, more: float
) -> None:
    import numpy as np

    times = _times(len(series))
    at = np.array(times, dtype="datetime64[ms]")
    limits = (suspect / 300.0, (suspect + more) / 300.0)
    theirs = qartod.rate_of_change_test(_theirs(series), at, *limits)  # type: ignore[attr-defined]
    assert ours.rate_of_change(times, series, *limits) == theirs.tolist()


@settings(deadline=None)
@given(SERIES, st.integers(1, 6), st.integers(0, 6), THRESHOLD)
def test_flat_lines_are_those_of_ioos(
    qartod: object, series: list[float], suspect: int, more: int, tolerance: float
) -> None:
    import numpy as np

    times = _times(len(series))
    at = np.array(times, dtype="datetime64[ms]")
    limits = (suspect * 300, (suspect + more) * 300)
    theirs = qartod.flat_line_test(series, at, *limits, tolerance)  # type: ignore[attr-defined]
    assert ours.flat_line(times, series, *limits, tolerance) == theirs.tolist()


def test_a_gap_cuts_a_series_and_nobody_is_compared_over_it() -> None:
    times = [0, DT_MS, 40 * DT_MS, 41 * DT_MS]
    assert ours.gaps(times, 300) == [(DT_MS, 40 * DT_MS)]
    assert ours.segments(times, 300) == [slice(0, 2), slice(2, 4)]
    limits = Limits(spike_suspect=1.0, rate_suspect_per_min=0.0001)
    assert ours.flags_of(times, [1.0, 1.0, 9.0, 9.0], limits, 300) == [1, 1, 1, 1]


def test_a_gate_that_opens_is_no_spike_and_a_bird_is_one() -> None:
    limits = DEFAULTS["distance_m"]
    gate = [0.850] * 4 + [0.660] * 4
    bird = [0.650, 0.651, 0.420, 0.650, 0.650, 0.651]
    far = [0.650, 0.651, 4.400, 0.650, 0.650, 0.651]
    assert set(ours.flags_of(_times(8), gate, limits, 300)) == {1}
    assert ours.flags_of(_times(6), bird, limits, 300) == [1, 1, 3, 1, 1, 1]
    assert ours.flags_of(_times(6), far, limits, 300)[2] == 4


def test_a_stuck_sensor_is_suspect_after_a_day() -> None:
    flags = ours.flags_of(_times(300), [0.650] * 300, DEFAULTS["distance_m"], 300)
    assert flags[:288] == [1] * 288
    assert set(flags[288:]) == {3}


SITE = """
[site]
id = "x"
name = { az = "x", ru = "x", en = "x" }
district = "x"
[[point]]
id = "outlet"
name = { az = "x", ru = "x", en = "x" }
kind = "level"
[point.quality.distance_m]
"""


def test_a_site_has_its_own_limits_and_keeps_the_others() -> None:
    plan = parse_plan(f"{SITE}spike_suspect = 0.02\nsuspect_range = [0.4, 0.8]")
    limits = limits_of("distance_m", plan.points[0].quality)
    assert limits is not None
    assert limits.spike_suspect == 0.02
    assert limits.suspect_range == (0.4, 0.8)
    assert limits.spike_fail == DEFAULTS["distance_m"].spike_fail
    assert limits_of("c", plan.points[0].quality) == DEFAULTS["c"]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("spike_suspekt = 1", "spike_suspect"),
        ("spike_fail = 0.01", "at least 0.05"),
        ("suspect_range = [0.8, 0.4]", "lowest, highest"),
        ("flat_suspect_s = 1.5", "seconds"),
    ],
)
def test_a_wrong_limit_is_refused_with_its_path(line: str, word: str) -> None:
    with pytest.raises(ConfigError, match=r"quality\.distance_m") as caught:
        parse_plan(SITE + line)
    assert word in str(caught.value)
