# SPDX-License-Identifier: MIT
"""A tap network without water, and the day on which people make up for it, are no leak."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from math import exp

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site import Signal, Site, Zone
from kahriz_detect.use.outage import LONGEST_H, Outage

HOUR_MS = 3_600_000
SITE = Site(
    "here",
    (Signal("meter", "village", "flow_lps", "flow", 3600.0, "village"),),
    zones=(Zone("village", "village", ("meter",)),),
)
BEGINS = 24 * 30  # hours


@cache
def _people() -> list[float]:
    rng, found = random.Random(9), []
    for hour in range(BEGINS + 24 * 8):
        day = exp(-(((hour % 24 - 8.0) / 2.5) ** 2)) + exp(-(((hour % 24 - 19.0) / 3.0) ** 2))
        found.append((1.0 + 2.0 * day) * rng.gauss(1.0, 0.05))
    return found


def _samples(out_h: int, leak: float = 0.0, factor: float = 2.0) -> Iterator[Sample]:
    """No water for some hours; then people use more until they have what they missed."""
    missed = 0.0
    for hour, use in enumerate(_people()):
        late = hour - BEGINS
        if 0 <= late < out_h:
            missed, use = missed + use, 0.0
        elif late >= out_h:
            more = min(missed, (factor - 1.0) * use)
            missed, use = missed - more, use + more + leak
        yield Sample((hour + 1) * HOUR_MS, "village", "flow_lps", round(use, 3))


def _raised(samples: Iterator[Sample]) -> list[float]:
    """Hours since the water went away."""
    engine = Engine(SITE, DETECTORS["use"](SITE))
    found: list[Finding] = []
    for number, sample in enumerate(samples):
        if number % 41 == 40:
            kept, engine = engine.dump(), Engine(SITE, DETECTORS["use"](SITE))
            engine.load(json.loads(json.dumps(kept)))
        found += engine.update(sample)
    return [f.ts / HOUR_MS - BEGINS for f in found if f.what == RAISED]


@pytest.mark.parametrize(("out_h", "factor"), [(5, 3.0), (14, 2.0), (30, 2.5)])
def test_no_water_and_then_twice_as_much_is_no_leak(out_h: int, factor: float) -> None:
    assert _raised(_samples(out_h, factor=factor)) == []


@pytest.mark.parametrize("out_h", [5, 30])
def test_a_leak_that_the_outage_left_is_told_within_three_days_of_the_water(out_h: int) -> None:
    (hours, *_) = _raised(_samples(out_h, leak=1.0))
    assert out_h < hours < out_h + 72.0


def test_more_than_was_missed_is_news_on_the_same_day() -> None:
    outage = Outage()
    for hour in range(6):
        outage.explains(hour, 0.0, 4.0)
    explained = [outage.explains(6 + n, 10.0, 4.0) for n in range(12)]
    assert explained == [True] * 4 + [False] * 8


def test_nobody_makes_up_for_it_for_longer_than_a_day() -> None:
    outage = Outage()
    for hour in range(200):
        outage.explains(hour, 0.0, 4.0)
    explained = [outage.explains(200 + n, 5.0, 4.0) for n in range(40)]
    assert sum(explained) == LONGEST_H


def test_one_hour_without_water_is_nothing() -> None:
    outage = Outage()
    assert not any(outage.explains(h, 0.0 if h == 5 else 4.0 + (h > 5), 4.0) for h in range(12))
