# SPDX-License-Identifier: MIT
"""Gaugings: what their raw numbers give, when they count, when a point is calibrated."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kahriz_water.calibration import judge
from kahriz_water.gauging import Bucket, Gauging, Pool, Salt, read_runs
from kahriz_water.strict import ConfigError

LOW = Gauging("outlet", 1, "bucket", tuple(Bucket(20.0, s) for s in (10.0, 10.2, 9.9)), "R. Q.")
HIGH = Gauging("outlet", 2, "pool", tuple(Pool(290.0, 0.05, s) for s in (1450, 1470, 1440)), "R.")
LOW = replace(LOW, device_lps=2.05)
HIGH = replace(HIGH, device_lps=9.6)
FACTOR = 0.0005


def wave(lps: float, grams: float, drift: float = 0.0, dt_s: float = 5.0) -> Salt:
    """Conductivity as salt passes: a skewed wave over a background that drifts."""
    comes_s = 30.0
    times = [k * dt_s for k in range(150)]
    since = [max(0.0, t - comes_s) for t in times]
    shape = [(t, (s / 60) ** 3 * math.exp(-s / 30)) for t, s in zip(times, since, strict=True)]
    area = dt_s * sum(x for _, x in shape)
    height = grams / (FACTOR * lps) / area
    end = shape[-1][0]
    return Salt(grams, FACTOR, tuple((t, 420.0 + drift * t / end + height * x) for t, x in shape))


@given(st.floats(0.5, 130.0), st.floats(-5.0, 5.0))
def test_salt_finds_the_flow_whatever_the_background_does(lps: float, drift: float) -> None:
    assert wave(lps, 30.0 * lps, drift).lps() == pytest.approx(lps, rel=0.01)


def test_a_series_that_ends_in_the_wave_is_refused() -> None:
    whole = wave(12.0, 400.0)
    assert whole.complaint() is None
    cut = replace(whole, series=whole.series[:30])
    assert "fresh" in str(cut.complaint())
    flat = replace(whole, series=tuple((t, 420.0) for t, _ in whole.series))
    assert "no wave" in str(flat.complaint())


def test_three_runs_within_five_per_cent_count() -> None:
    assert LOW.complaints() == []
    assert LOW.lps() == pytest.approx(1.994, abs=0.001)
    assert LOW.spread() == pytest.approx(0.0299, abs=0.0002)
    assert 0.02 < LOW.u_lps() / LOW.lps() < 0.04
    two = replace(LOW, runs=LOW.runs[:2])
    assert two.complaints() == ["2 runs: at least 3"]
    wild = replace(LOW, runs=(*LOW.runs, Bucket(20.0, 12.0)))
    assert "apart" in wild.complaints()[0]


def test_a_bucket_is_for_little_water() -> None:
    assert "too short" in str(Bucket(10.0, 2.0).complaint())
    assert "above 3" in str(Bucket(60.0, 12.0).complaint())
    assert "20 mm" in str(Pool(290.0, 0.01, 300.0).complaint())


def test_two_stages_with_the_device_near_make_a_calibrated_point() -> None:
    assert judge("outlet", []).why == "nobody has gauged it"
    assert "2 stages" in str(judge("outlet", [LOW]).why)
    assert judge("outlet", [LOW, HIGH]).calibrated
    assert "2 stages" in str(judge("outlet", [LOW, replace(LOW, at=3)]).why)
    assert "2 stages" in str(judge("outlet", [LOW, replace(HIGH, device_lps=None)]).why)
    assert not judge("middle", [LOW, HIGH]).calibrated


def test_a_device_that_is_off_at_the_last_gauging_is_not_calibrated() -> None:
    off = replace(HIGH, at=4, device_lps=13.0)
    assert "+30% off" in str(judge("outlet", [LOW, HIGH, off]).why)
    assert judge("outlet", [LOW, off, replace(HIGH, at=5)]).calibrated, "mended and gauged again"


def test_an_uncalibrated_point_says_whom_to_ask() -> None:
    assert judge("outlet", []).words("R. Quliyev") == "uncalibrated: ask R. Quliyev"
    assert judge("outlet", [LOW, HIGH]).words("R. Quliyev") == "calibrated"


@pytest.mark.parametrize(
    ("method", "run", "word"),
    [
        ("bucket", {"litres": 20}, "seconds"),
        ("bucket", {"litres": 20, "seconds": 10, "second": 1}, "no such key"),
        ("pool", {"rise_m": 0.05, "seconds": 10}, "area_m2"),
        ("salt", {"grams": 100, "factor": 0.0005, "series": [[0, 1]]}, "pairs"),
        ("salt", {"grams": 100, "factor": 0.5, "series": [[k, 1] for k in range(9)]}, "factor"),
    ],
)
def test_a_run_that_cannot_be_read_is_refused(
    method: str, run: dict[str, object], word: str
) -> None:
    with pytest.raises(ConfigError, match=word):
        read_runs(method, [run], "runs")
