# SPDX-License-Identifier: MIT
"""The detectors on simulated kahrizes: what must ring, where and how much, and what must not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from kahriz_detect.engine import Engine
from kahriz_sim.scenario import parse

SITES = ["banovshalar-gozlu", "baharli-valibay"]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize(
    ("reach", "lps", "seed"), [("upper", 2.0, 5), ("lower", 2.0, 6), ("upper", 4.0, 7)]
)
def test_a_leak_rings_once_on_its_reach_with_its_size(
    water: SimpleNamespace, site: str, reach: str, lps: float, seed: int
) -> None:
    stream = water.samples(site, "calm", seed, 7 + 6 / 24, leaks=[(reach, lps, 1.0)])
    found = water.findings(site, stream)
    assert water.raised(found) == [("leak", reach)]
    first, last = found[0], found[-1]
    assert first.ts - (water.LIFE_MS + water.HOUR_MS) <= 2.0 * water.HOUR_MS
    assert first.lps == pytest.approx(lps, rel=0.3)
    assert last.lps == pytest.approx(lps, rel=0.3)
    assert last.lps_u is not None
    assert abs(last.lps - lps) <= last.lps_u


@pytest.mark.parametrize("site", SITES[1:])  # the other one has a whole year: test_both_sides_raw
def test_ninety_calm_days_are_silent(water: SimpleNamespace, site: str) -> None:
    assert water.findings(site, water.samples(site, "calm", 1, 90.0)) == []


@pytest.mark.parametrize("site", SITES)
def test_a_fouled_weir_is_called_so_and_is_no_leak(water: SimpleNamespace, site: str) -> None:
    found = water.findings(site, water.samples(site, "fouled_weir", 2, 8.0))
    kinds = water.raised(found)
    assert ("fouled_weir", "middle") in kinds
    assert "leak" not in {kind for kind, _ in kinds}


@pytest.mark.parametrize(("site", "seed"), [("banovshalar-gozlu", 3), ("baharli-valibay", 7)])
def test_a_weir_that_was_fouled_while_it_was_learned_leaks_not_when_it_is_clean(
    water: SimpleNamespace, site: str, seed: int
) -> None:
    begin = water.LIFE_MS - 4 * 24 * water.HOUR_MS
    stream = (s for s in water.samples(site, "fouled_weir", seed, 8.25) if s.ts >= begin)
    kinds = water.raised(water.findings(site, stream))
    assert ("fouled_weir", "middle") in kinds
    assert "leak" not in {kind for kind, _ in kinds}


@pytest.mark.parametrize("point", ["outlet", "inlet"])
def test_a_leaf_in_another_weir_is_no_leak_either(water: SimpleNamespace, point: str) -> None:
    fouled = {"point": point, "first_mm": 2.0, "last_mm": 12.0, "at_h": -60.0, "to_h": 4.0}
    scenario = parse({"truth": "a leaf", "fouled": [fouled]}, "leaf")
    kinds = {k for k, _ in water.raised(water.findings(water.GOZLU, water.samples(
        water.GOZLU, scenario, 3, 8.0)))}  # fmt: skip
    assert kinds == {"fouled_weir"}


@pytest.mark.parametrize("scenario", ["storm", "drought", "blackout"])
def test_weather_and_darkness_are_no_leak(water: SimpleNamespace, scenario: str) -> None:
    days = 30.0 if scenario == "drought" else 9.0
    assert water.findings(water.GOZLU, water.samples(water.GOZLU, scenario, 1, days)) == []


@pytest.mark.parametrize("scenario", ["collapse", "blockage"])
def test_less_water_from_the_source_is_no_leak(water: SimpleNamespace, scenario: str) -> None:
    found = water.findings(water.GOZLU, water.samples(water.GOZLU, scenario, 1, 8.0))
    assert water.raised(found) == [("source_drop", "outlet")]


def test_the_loss_of_a_broken_channel_is_told_though_the_weir_below_is_dry(
    water: SimpleNamespace,
) -> None:
    stream = water.samples(water.GOZLU, "calm", 1, 7.3, leaks=[("lower", 11.5, 1.0)])
    found = water.findings(water.GOZLU, stream)
    assert ("leak", "lower") in water.raised(found)
    assert next(f for f in found if f.kind == "leak").lps > 9


def test_a_restart_at_any_moment_gives_the_same_findings(water: SimpleNamespace) -> None:
    site = water.water_of(water.GOZLU)
    stream = list(water.samples(water.GOZLU, "calm", 9, 7.2, leaks=[("upper", 2.5, 1.0)]))
    unbroken = water.findings(water.GOZLU, stream)
    engine, broken = Engine(site), []
    for number, sample in enumerate(stream):
        if number % 97 == 0:
            kept = json.loads(json.dumps(engine.dump()))
            engine = Engine(site)
            engine.load(kept)
        broken += engine.update(sample)
    assert broken == unbroken
    assert water.raised(unbroken) == [("leak", "upper")]


def test_no_finding_looks_ahead(water: SimpleNamespace) -> None:
    stream = list(water.samples(water.GOZLU, "calm", 4, 7.2, leaks=[("upper", 3.0, 1.0)]))
    whole = water.findings(water.GOZLU, stream)
    for end in range(len(stream) - 90, len(stream), 30):
        part = water.findings(water.GOZLU, stream[:end])
        assert part == [f for f in whole if f.ts <= stream[end - 1].ts]


def test_a_gap_neither_raises_nor_clears(water: SimpleNamespace) -> None:
    stream = list(water.samples(water.GOZLU, "calm", 4, 8.5, leaks=[("upper", 3.0, 1.0)]))
    dark = water.LIFE_MS + 5 * water.HOUR_MS
    seen = [s for s in stream if s.ts < dark or s.point != "middle"]
    found = water.findings(water.GOZLU, seen)
    assert water.raised(found) == [("leak", "upper")]
    assert [f for f in found if f.what == "cleared"] == []


def test_a_mended_leak_is_over_after_a_day_in_its_band(water: SimpleNamespace) -> None:
    leak = {"reach": "upper", "lps": 3.0, "at_h": 1.0, "to_h": 12.0}
    scenario = parse({"truth": "mended", "leak": [leak]}, "mended")
    found = water.findings(water.GOZLU, water.samples(water.GOZLU, scenario, 2, 9.5))
    assert water.raised(found) == [("leak", "upper")]
    cleared = [f for f in found if f.what == "cleared"]
    assert len(cleared) == 1
    hours = (cleared[0].ts - water.LIFE_MS) / water.HOUR_MS
    assert 36 <= hours <= 46
    assert cleared[0].m3 == pytest.approx(3.0 * 11 * 3.6, rel=0.3)
