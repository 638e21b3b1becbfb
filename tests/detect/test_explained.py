# SPDX-License-Identifier: MIT
"""A turn larger than usual explains what its pool loses beside it, and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding, Sample
from kahriz_detect.site import Pool, Signal, Site
from kahriz_detect.use.explained import LONGEST_MS, TURN, Explained

HOUR_MS, DAY, STEP_MS, AREA_M2 = 3_600_000, 144, 600_000, 300.0
TABLE = ((0.0, 0.0), (3.0, 3.0 * AREA_M2))
FLOWS = ("in", "taps", "fields")
SITE = Site(
    "here",
    (
        *(Signal(k, k, "flow_lps", "weir", 600.0, k) for k in FLOWS),
        Signal("level", "level", "level_m", "pool", 600.0, "level"),
    ),
    pools=(Pool("pool", "level", ("in",), ("taps", "fields"), TABLE, 2.9),),
)
BEGINS, ENDS = 10.2, 10.9  # the turn that is not like the others


def _samples(second_gate: float = 0.0, larger: bool = True, leak: float = 9e9) -> Iterator[Sample]:
    """Turns of every day; on the tenth one, half as much again, and a gate without a meter."""
    rng, volume = random.Random(3), 600.0
    for i in range(13 * DAY):
        day, hour = i / DAY, i % DAY / 6.0
        unlike = BEGINS <= day < ENDS and volume > 60.0
        fields = 10.0 if 5.0 <= hour < 17.0 and volume > 60.0 else 0.0
        fields = 15.0 if unlike and larger else fields
        true = {"in": 8.0, "taps": 2.0 + (6.0 < hour < 22.0), "fields": fields}
        gone = true["taps"] + fields * (1.0 + second_gate * unlike) + 1.5 * (day >= leak)
        volume = min(max(volume + (true["in"] - gone) * 0.6, 0.0), 870.0)
        read = {k: v * rng.gauss(1.0, 0.01) for k, v in true.items()}
        read["fields"] += rng.gauss(0.0, 0.002)
        read["level"] = volume / AREA_M2 + rng.gauss(0.0, 0.002)
        for key, value in read.items():
            quantity = "level_m" if key == "level" else "flow_lps"
            yield Sample((i + 1) * STEP_MS, key, quantity, round(value, 4))


def _losses(found: list[Finding]) -> list[float]:
    return [f.ts / DAY / STEP_MS for f in found if f.what == RAISED and f.kind == "pool_leak"]


def _run(samples: Iterator[Sample]) -> list[Finding]:
    engine = Engine(SITE)
    return [f for sample in samples for f in engine.update(sample)]


def test_a_second_gate_in_a_turn_larger_than_usual_is_no_leak_of_the_pool() -> None:
    found = _run(_samples(second_gate=0.5))
    assert TURN in {f.kind for f in found}
    assert _losses(found) == []


def test_the_same_gate_in_a_turn_like_every_other_is_missing_water() -> None:
    assert _losses(_run(_samples(second_gate=0.8, larger=False))) != []


def test_a_leak_that_begins_in_a_larger_turn_is_told_within_twelve_hours_of_its_end() -> None:
    (day,) = _losses(_run(_samples(leak=10.4)))
    assert ENDS < day < ENDS + 0.5


def test_a_leak_does_not_wait_for_the_end_of_a_usual_turn() -> None:
    (day,) = _losses(_run(_samples(larger=False, leak=10.3)))
    assert day < 17.0 / 24.0 + 10.0


def test_what_waits_is_told_alike_after_a_restart() -> None:
    samples = list(_samples(leak=10.4))
    whole = _run(iter(samples))
    first, then = Engine(SITE), Engine(SITE)
    cut = round(10.8 * DAY) * 4
    found = [f for s in samples[:cut] for f in first.update(s)]
    assert _losses(found) == []
    assert first.joint.explained.dump()[1] != []
    then.load(json.loads(json.dumps(first.dump())))
    assert found + [f for s in samples[cut:] for f in then.update(s)] == whole
    assert _losses(whole) != []


def test_the_state_of_a_version_that_knew_no_usual_turns_is_read_and_goes_on() -> None:
    samples = list(_samples(second_gate=0.5))
    first, then = Engine(SITE), Engine(SITE)
    for sample in samples[: 5 * DAY * 4]:
        first.update(sample)
    state = json.loads(json.dumps(first.dump()))
    del state["joint"]["explained"]
    state["detectors"]["planned:level"].pop()
    then.load(state)
    found = [f for s in samples[5 * DAY * 4 :] for f in then.update(s)]
    assert _losses(found) == []
    assert TURN in {f.kind for f in found}


def _turn(what: str, hour: int, lps: float = 15.0) -> Finding:
    evidence: dict[str, float | str] = {"since_ms": float(hour * HOUR_MS), "usual_lps": 10.0}
    return Finding(what, TURN, "fields", hour * HOUR_MS, lps, evidence=evidence)


def _leak(what: str, hour: int, since: int) -> Finding:
    evidence: dict[str, float | str] = {"since_ms": float(since * HOUR_MS)}
    return Finding(what, "pool_leak", "pool", hour * HOUR_MS, 2.0, evidence=evidence)


def _told(explained: Explained, *findings: Finding) -> list[Finding]:
    return [f for x in findings for f in explained.sift([x], x.ts) if f.kind != TURN]


def test_what_began_before_the_turn_is_not_of_it() -> None:
    leak = _leak(RAISED, 110, 90)
    assert _told(Explained(SITE), _turn(RAISED, 100), leak) == [leak]


def test_another_pool_does_not_wait_for_this_ones_turn() -> None:
    other = Finding(RAISED, "pool_leak", "other", 110 * HOUR_MS, 2.0)
    assert _told(Explained(SITE), _turn(RAISED, 100), other) == [other]


@pytest.mark.parametrize("over", [True, False])
def test_silence_after_it_was_held_is_no_good_news(over: bool) -> None:
    explained = Explained(SITE)
    last = [_turn(CLEARED, 112)] if over else []
    assert _told(explained, _turn(RAISED, 100), _leak(RAISED, 110, 101), *last) == []
    moment = 110 * HOUR_MS + LONGEST_MS
    assert explained.sift([], moment) == []
    (told,) = explained.sift([], moment + 1)
    assert (told.what, told.kind, told.ts) == (RAISED, "pool_leak", moment + 1)


def test_the_next_turn_ends_one_whose_end_nobody_saw() -> None:
    explained = Explained(SITE)
    grown = _leak(CHANGED, 132, 101)
    told = _told(
        explained, _turn(RAISED, 100), _leak(RAISED, 110, 101), _turn(RAISED, 124, 10.0), grown
    )
    assert [(f.what, f.ts) for f in told] == [(RAISED, grown.ts)]
