# SPDX-License-Identifier: MIT
"""A canal below a pool, switched on and off by turns: who loses, and which weir only says so."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site import Pool, Reach, Signal, Site

STEP_MS, DAY, AREA_M2, LAG = 600_000, 144, 400.0, 2
TABLE = ((0.0, 0.0), (3.0, 3.0 * AREA_M2))
FLOWS = ("in", "head", "mid", "tail")
SITE = Site(
    "pulsed",
    (
        *(Signal(k, k, "flow_lps", "weir", 600.0, k) for k in FLOWS),
        Signal("level", "level", "level_m", "pool", 600.0, "level"),
    ),
    (Reach("upper", "head", "mid", 500.0, 1000.0), Reach("lower", "mid", "tail", 500.0, 1000.0)),
    (Pool("pool", "level", ("in",), ("head",), TABLE, 2.9),),
)
BLIND = Site("blind", SITE.signals[1:4], SITE.reaches)  # the same without its pool
ONE, TWO = ((5.0, 13.0),), ((5.0, 9.0), (17.0, 21.0))
BEGINS = 14.0
Turns = tuple[tuple[float, float], ...]


def _samples(trouble: str, turns: Turns, vary: float, days: float, seed: int) -> Iterator[Sample]:
    """20 L/s in turns, each by `vary` another; a quarter is lost, or a weir reads as much more."""
    rng, volume, turn, ran = random.Random(seed), 800.0, 20.0, False
    ups, mids = deque([0.0] * (LAG + 1), LAG + 1), deque([0.0] * (LAG + 1), LAG + 1)
    mid = tail = 0.0
    for i in range(round(days * DAY)):
        now = trouble if i >= BEGINS * DAY else ""
        runs = any(first <= i % DAY / 6.0 < last for first, last in turns)
        if runs and not ran:
            turn = 20.0 * (1.0 + rng.uniform(-vary, vary))
        ran = runs
        head = turn if runs else 0.0
        volume = min(max(volume + (8.0 - head) * 0.6, 0.0), 2.9 * AREA_M2)
        ups.append(head)
        mid += 0.7 * (0.97 * ups[0] * (0.75 if now == "upper" else 1.0) - mid)
        mids.append(mid)
        tail += 0.7 * (0.97 * mids[0] * (0.75 if now == "lower" else 1.0) - tail)
        read = {"in": 8.0, "head": head, "mid": mid, "tail": tail}
        if now in ("head", "mid"):
            read[now] *= 1.25
        read = {
            k: max(0.0, v * rng.gauss(1.0, 0.01) + rng.gauss(0.0, 0.003)) for k, v in read.items()
        }
        read["level"] = volume / AREA_M2 + rng.gauss(0.0, 0.002)
        for key, value in read.items():
            quantity = "level_m" if key == "level" else "flow_lps"
            yield Sample((i + 1) * STEP_MS, key, quantity, round(value, 4))


def _raised(site: Site, samples: Iterator[Sample]) -> list[tuple[str, str, float]]:
    engine = Engine(site, DETECTORS["balance"](site))
    found: list[Finding] = []
    for number, sample in enumerate(samples):
        if number % 3001 == 3000:
            kept, engine = engine.dump(), Engine(site, DETECTORS["balance"](site))
            engine.load(json.loads(json.dumps(kept)))
        found += engine.update(sample)
    return [(f.kind, f.place, f.ts / STEP_MS / DAY - BEGINS) for f in found if f.what == RAISED]


@pytest.mark.parametrize(
    ("reach", "turns", "vary", "seed"),
    [("upper", ONE, 0.0, 2), ("upper", TWO, 0.3, 3), ("lower", ONE, 0.3, 1)],
)
def test_a_quarter_lost_in_turns_is_a_leak_of_its_reach_within_a_day(
    reach: str, turns: Turns, vary: float, seed: int
) -> None:
    ((kind, place, days),) = _raised(SITE, _samples(reach, turns, vary, BEGINS + 1.5, seed))
    assert (kind, place) == ("leak", reach)
    assert 0.0 < days < 1.0


@pytest.mark.parametrize(
    ("weir", "turns", "vary", "seed"),
    [("head", ONE, 0.3, 1), ("head", TWO, 0.3, 3), ("mid", ONE, 0.3, 2)],
)
def test_a_leaf_that_reads_as_much_more_in_turns_is_no_leak(
    weir: str, turns: Turns, vary: float, seed: int
) -> None:
    found = _raised(SITE, _samples(weir, turns, vary, BEGINS + 2.0, seed))
    assert [(kind, place) for kind, place, _ in found] == [("fouled_weir", weir)]


def test_turns_of_any_size_are_silent_for_weeks() -> None:
    assert _raised(SITE, _samples("", TWO, 0.3, 24.0, 3)) == []


def test_without_a_pool_turns_that_are_all_alike_tell_a_leak_from_a_leaf() -> None:
    blind = [s.key for s in BLIND.signals]
    for trouble, told in (("upper", ("leak", "upper")), ("head", ("fouled_weir", "head"))):
        stream = _samples(trouble, ONE, 0.0, BEGINS + 2.0, 2)
        found = _raised(BLIND, (s for s in stream if s.point in blind))
        assert [(kind, place) for kind, place, _ in found] == [told]


def test_without_a_pool_turns_of_any_size_are_a_doubt_and_no_leaf() -> None:
    blind = [s.key for s in BLIND.signals]
    stream = _samples("upper", ONE, 0.3, BEGINS + 1.0, 1)
    found = _raised(BLIND, (s for s in stream if s.point in blind))
    assert [(kind, place) for kind, place, _ in found] == [("balance_doubt", "upper")]
