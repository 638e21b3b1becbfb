# SPDX-License-Identifier: MIT
"""Zero for days: a gate that is shut, or a meter that is dead? Its neighbours say it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site import Offtake, Pool, Reach, Signal, Site

STEP_MS, DAY, AREA_M2 = 300_000, 288, 300.0
TABLE = ((0.0, 0.0), (3.0, 3.0 * AREA_M2))
FLOWS = ("in", "fields", "below")
SITE = Site(
    "here",
    (
        *(Signal(k, k, "flow_lps", "flow", 300.0, k) for k in FLOWS),
        Signal("level", "level", "level_m", "pool", 300.0, "level"),
    ),
    (Reach("canal", "fields", "below", 400.0),),
    (Pool("pool", "level", ("in",), ("fields",), TABLE, 2.9),),
)
ALONE = Site("alone", (SITE.signals[1],))
POOL_ONLY = Site("pool", (SITE.signals[0], *SITE.signals[1:2], SITE.signals[3]), (), SITE.pools)
CHANGES = 6.0  # days of turns, then what the test is about


def _samples(days: float, shut: bool, dead: str = "") -> Iterator[Sample]:
    """Turns of every day; from then on none any more, or one meter that is dead."""
    rng, volume = random.Random(5), 600.0
    for i in range(round(days * DAY)):
        day, hour = i / DAY, i % DAY / 12.0
        turn = 6.0 <= hour < 11.0 and not (shut and day >= CHANGES) and volume > 100.0
        fields = 30.0 if turn else 0.0
        volume = min(max(volume + (6.0 - fields) * 0.3, 0.0), 870.0)
        read = {"in": 6.0, "fields": fields, "below": 0.97 * fields}
        read = {k: round(v * rng.gauss(1.0, 0.01), 3) for k, v in read.items()}
        if day >= CHANGES and dead:
            read[dead] = 0.0
        read["level"] = round(volume / AREA_M2 + rng.gauss(0.0, 0.002), 3)
        for key, value in read.items():
            quantity = "level_m" if key == "level" else "flow_lps"
            yield Sample((i + 1) * STEP_MS, key, quantity, value)


def _stuck(site: Site, samples: Iterator[Sample]) -> list[tuple[str, float]]:
    engine = Engine(site, DETECTORS["validity"](site))
    found: list[Finding] = []
    for number, sample in enumerate(samples):
        if number % 5003 == 5002:
            kept, engine = engine.dump(), Engine(site, DETECTORS["validity"](site))
            engine.load(json.loads(json.dumps(kept)))
        found += engine.update(sample)
    stuck = [f for f in found if f.what == RAISED and f.kind == "sensor_fault:stuck"]
    return [(f.place, f.ts / STEP_MS / DAY - CHANGES) for f in stuck]


@pytest.mark.parametrize("site", [SITE, POOL_ONLY])
def test_a_gate_that_is_shut_for_a_month_is_no_stuck_sensor(site: Site) -> None:
    assert _stuck(site, _samples(36.0, shut=True)) == []


@pytest.mark.parametrize("dead", ["fields", "below"])
def test_a_dead_meter_reads_zero_as_long_and_is_told(dead: str) -> None:
    ((place, days),) = _stuck(SITE, _samples(14.0, shut=False, dead=dead))
    assert place == dead
    assert days < 5.0


def test_the_level_of_the_pool_is_enough_to_tell_them_apart() -> None:
    ((place, days),) = _stuck(POOL_ONLY, _samples(14.0, shut=False, dead="fields"))
    assert place == "fields"
    assert days < 5.0


def test_without_neighbours_a_month_of_zeros_is_told() -> None:
    alone = (s for s in _samples(36.0, shut=True) if s.point == "fields")
    assert [place for place, _ in _stuck(ALONE, alone)] == ["fields"]


def test_neighbours_that_are_silent_excuse_nothing() -> None:
    changes_ms = (CHANGES + 1.0) * DAY * STEP_MS
    stream = _samples(36.0, shut=True)
    told = (s for s in stream if s.ts < changes_ms or s.point == "fields")
    assert [place for place, _ in _stuck(SITE, told)] == ["fields"]


CUT = Site(
    "cut",
    tuple(Signal(k, k, "flow_lps", "flow", 300.0, k) for k in ("above", "garden", "below")),
    (Reach("canal", "above", "below", 400.0),),
    offtakes=(Offtake("gate", "canal", "garden"),),
)


def _cut(days: float, shut: bool, dead: bool = False, ran: bool = True) -> Iterator[Sample]:
    """A garden takes 4 of 10 L/s every morning; from then on not any more, or its meter is dead."""
    rng = random.Random(6)
    for i in range(round(days * DAY)):
        late = i >= CHANGES * DAY
        takes = 6.0 <= i % DAY / 12.0 < 11.0 and not (late and shut) and (late or ran)
        garden = 4.0 if takes else 0.0
        read = {"above": 10.0, "garden": 0.0 if late and dead else garden, "below": 9.7 - garden}
        for key, value in read.items():
            yield Sample((i + 1) * STEP_MS, key, "flow_lps", round(value * rng.gauss(1, 0.01), 3))


@pytest.mark.parametrize("ran", [True, False])
def test_an_offtake_that_nobody_opens_for_a_month_is_no_stuck_sensor(ran: bool) -> None:
    assert _stuck(CUT, _cut(30.0, shut=True, ran=ran)) == []


def test_an_offtake_that_takes_and_reads_zero_is_told() -> None:
    ((place, days),) = _stuck(CUT, _cut(14.0, shut=False, dead=True))
    assert place == "garden"
    assert days < 6.0
