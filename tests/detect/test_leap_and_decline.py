# SPDX-License-Identifier: MIT
"""A meter that leaps alone errs; a source that falls for weeks fails; neither is the other."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest

from kahriz_detect.detector import Detector
from kahriz_detect.finding import Finding
from kahriz_detect.frame import Frame
from kahriz_detect.reach.leap import Leap
from kahriz_detect.source.decline import Decline

DAY = 144
Values = Callable[[int], dict[str, float]]


def play(detector: Detector, days: float, values: Values) -> list[Finding]:
    found: list[Finding] = []
    for i in range(int(days * DAY)):
        found += detector.step(Frame(i, i * 600_000, values(i)))
    return found


def chain(seed: int, **factors: Callable[[int], float]) -> Values:
    noise = random.Random(seed)
    usual = {"a": 12.0, "b": 11.8, "c": 11.5, "deep": 0.30}

    def values(i: int) -> dict[str, float]:
        shares = {k: factors[k](i) if k in factors else 1.0 for k in usual}
        return {k: v * shares[k] * noise.gauss(1.0, 0.005) for k, v in usual.items()}

    return values


def after(day: float, share: float) -> Callable[[int], float]:
    return lambda i: share if i >= day * DAY else 1.0


@pytest.mark.parametrize(
    ("meter", "share"), [("a", 0.9), ("a", 1.1), ("b", 0.9), ("b", 1.1), ("c", 1.1), ("deep", 0.6)]
)
def test_a_meter_that_leaps_alone_is_named_within_a_day(meter: str, share: float) -> None:
    leap = Leap("abc", "deep")
    found = play(leap, 16, chain(1, **{meter: after(14, share)}))
    assert [(f.kind, f.place) for f in found] == [("sensor_fault:offset", meter)]
    assert found[0].ts <= 15 * DAY * 600_000


@pytest.mark.parametrize("lost", [("b", "c"), ("c",)])
def test_a_leak_and_its_repair_are_no_error_of_a_meter(lost: tuple[str, ...]) -> None:
    def leaks(i: int) -> float:
        return 0.85 if 14 * DAY <= i < 20 * DAY else 1.0

    assert play(Leap("abc", "deep"), 24, chain(2, **dict.fromkeys(lost, leaks))) == []


def test_a_collapse_moves_all_and_is_no_error_of_a_meter() -> None:
    less = dict.fromkeys("abc", after(14, 0.6)) | {"deep": after(14, 0.36)}
    assert play(Leap("abc", "deep"), 18, chain(3, **less)) == []


def test_an_offset_that_went_away_is_over() -> None:
    found = play(
        Leap("abc", "deep"), 20, chain(4, b=lambda i: 1.1 if 14 * DAY <= i < 16 * DAY else 1.0)
    )
    assert [(f.what, f.place) for f in found] == [("raised", "b"), ("cleared", "b")]


def source(day_share: float, begins: float = 60.0, storm: float = 0.0) -> Values:
    noise = random.Random(5)

    def values(i: int) -> dict[str, float]:
        day = i / DAY
        falls = math.exp(-day_share * max(0.0, day - begins))
        rain = 1.0 + storm * math.exp(-((day - 30.0) % 40.0) / 8.0)
        return {"a": 12.0 * falls * rain * noise.gauss(1.0, 0.01)}

    return values


@pytest.mark.parametrize("storm", [0.0, 0.3])
def test_a_slow_decline_is_told_within_a_month_with_its_rate(storm: float) -> None:
    found = play(Decline("gallery", "a", season=0.0), 100, source(0.003, storm=storm))
    assert [f.kind for f in found] == ["decline"]
    assert 60 < found[0].ts / (DAY * 600_000) <= 95
    evidence = found[0].evidence
    assert float(evidence["trend_from"]) <= float(evidence["trend_to"]) < 0


def test_storms_are_no_decline() -> None:
    assert play(Decline("gallery", "a", season=0.0), 200, source(0.0, storm=0.5)) == []


def test_a_collapse_is_no_decline_even_when_it_stays() -> None:
    def values(i: int) -> dict[str, float]:
        return {"a": 12.0 if i < 60 * DAY else 6.0}

    assert play(Decline("gallery", "a", season=0.0), 150, values) == []


def test_a_bound_makes_no_decline() -> None:
    decline, found = Decline("gallery", "a", season=0.0), []
    for i in range(90 * DAY):
        over = i >= 60 * DAY  # the weir overflows: at least so much
        bounds = {"a": "gt"} if over else {}
        lps = 12.0 * (1.0 - 0.002 * max(0.0, i / DAY - 60.0))
        found += decline.step(Frame(i, i * 600_000, {"a": lps}, bounds))
    assert found == []


@pytest.mark.parametrize("detector", [Decline("gallery", "a"), Leap("abc", "deep")])
def test_state_of_a_slow_watch_survives_json(detector: Detector) -> None:
    play(detector, 40, chain(6, b=after(39, 1.2)))
    other = Decline("gallery", "a") if isinstance(detector, Decline) else Leap("abc", "deep")
    other.load(json.loads(json.dumps(detector.dump())))
    assert json.dumps(other.dump()) == json.dumps(detector.dump())
