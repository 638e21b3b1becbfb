# SPDX-License-Identifier: MIT
"""A turn whose water leaves between two weirs is no leak; one that begins in it is told after."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site import Offtake, Reach, Signal, Site
from kahriz_detect.use.between import LONGEST_MS, SETTLES_MS, TURN, Between

HOUR_MS, DAY, STEP_MS = 3_600_000, 144, 600_000
FLOWS = ("up", "middle", "down", "garden")
SITE = Site(
    "here",
    tuple(Signal(k, k, "flow_lps", "weir", 600.0, k) for k in FLOWS),
    (
        Reach("upper", "up", "middle", 200.0, 400.0),
        Reach("lower", "middle", "down", 200.0, 400.0),
    ),
    offtakes=(Offtake("gate", "upper", "garden"),),
)
OPENS, SHUTS, BEGINS = 6.0, 11.0, 8  # hours of the turn of every day; the day that is not like them


def _samples(
    beside: float = 0.0,
    leak: float = 0.0,
    from_hour: float = 0.0,
    silent: bool = False,
    days: float = BEGINS + 2.0,
) -> Iterator[Sample]:
    """The garden takes 3 of 12 L/s. From the eighth day on it takes some more `beside` its meter,
    or some are lost since an hour of that day."""
    rng = random.Random(8)
    for i in range(round(days * DAY)):
        hour = i % DAY / 6.0
        late = i >= BEGINS * DAY
        turn = OPENS <= hour < SHUTS
        garden = 3.0 if turn else 0.0
        lost = leak if i / DAY >= BEGINS + from_hour / 24.0 else 0.0
        middle = 11.7 - garden - (beside if late and turn else 0.0) - lost
        read = {"up": 12.0, "middle": middle, "down": 0.98 * middle, "garden": garden}
        if silent and late:
            del read["garden"]
        for key, value in read.items():
            value = value * rng.gauss(1.0, 0.008)
            yield Sample((i + 1) * STEP_MS, key, "flow_lps", round(value, 3))


def _told(samples: Iterator[Sample], restarts: bool = False) -> list[tuple[str, str, float]]:
    """Kind, place, and hours since the day that is not like the others began; no notices."""
    engine = _engine()
    found: list[Finding] = []
    for number, sample in enumerate(samples):
        if restarts and number % 401 == 400:
            kept, engine = engine.dump(), _engine()
            engine.load(json.loads(json.dumps(kept)))
        found += engine.update(sample)
    raised = [f for f in found if f.what == RAISED and not f.kind.startswith("use:")]
    return [(f.kind, f.place, f.ts / HOUR_MS - 24.0 * BEGINS) for f in raised]


def _engine() -> Engine:
    return Engine(SITE, [*DETECTORS["balance"](SITE), *DETECTORS["planned"](SITE)])


def test_a_second_gate_beside_the_meter_is_no_leak_on_any_day() -> None:
    assert _told(_samples(beside=2.0, days=BEGINS + 4.0)) == []


def test_without_a_turn_the_same_loss_is_told_within_hours() -> None:
    ((kind, place, hours),) = _told(_samples(leak=2.0, from_hour=14.0))
    assert (kind, place) == ("leak", "upper")
    assert 14.0 < hours < 18.0


@pytest.mark.parametrize("restarts", [False, True])
def test_a_leak_that_begins_in_a_turn_is_told_within_four_hours_of_its_end(restarts: bool) -> None:
    ((kind, place, hours),) = _told(_samples(leak=2.0, from_hour=7.0), restarts)
    assert (kind, place) == ("leak", "upper")
    assert SHUTS < hours < SHUTS + 4.0


def test_a_leak_that_was_there_before_the_turn_does_not_wait_for_it() -> None:
    ((kind, place, hours),) = _told(_samples(leak=2.0, from_hour=4.0))
    assert (kind, place) == ("leak", "upper")
    assert hours < SHUTS


def test_more_than_the_turn_takes_is_told_while_it_runs() -> None:
    ((kind, place, hours),) = _told(_samples(leak=5.0, from_hour=7.0))
    assert (kind, place) == ("leak", "upper")
    assert hours < SHUTS


def test_a_leak_of_the_next_reach_does_not_wait_for_this_one_s_turn() -> None:
    quiet = list(_samples())
    leaks = (
        s._replace(value=s.value - 2.0) if s.point == "down" and s.ts > _ms(7.0) else s
        for s in quiet
    )
    ((kind, place, hours),) = _told(leaks)
    assert (kind, place) == ("leak", "lower")
    assert hours < SHUTS


def test_a_turn_whose_meter_is_silent_is_no_leak() -> None:
    assert _told(_samples(silent=True, days=BEGINS + 3.0)) == []


def test_more_than_a_silent_meter_ever_showed_is_a_leak() -> None:
    told = _told(_samples(silent=True, leak=5.0, from_hour=1.0))
    assert ("leak", "upper") in [(kind, place) for kind, place, _ in told]


def _ms(hour: float) -> int:
    return round((BEGINS * 24.0 + hour) * HOUR_MS)


def _turn(what: str, hour: int) -> Finding:
    evidence: dict[str, float | str] = {"since_ms": float(hour * HOUR_MS)}
    return Finding(what, TURN, "garden", hour * HOUR_MS, 3.0, evidence=evidence)


def _loss(what: str, hour: float, kind: str = "leak") -> Finding:
    evidence: dict[str, float | str] = {"since_ms": 101.0 * HOUR_MS}
    return Finding(what, kind, "upper", round(hour * HOUR_MS), 2.0, evidence=evidence)


def _sift(between: Between, *findings: Finding) -> list[Finding]:
    return [f for x in findings for f in between.sift([x], x.ts) if f.kind != TURN]


def test_what_came_back_without_a_turn_is_told_though_it_stopped_with_one() -> None:
    between = Between(SITE)
    with_it = (_turn(RAISED, 100), _loss(RAISED, 103), _turn(CLEARED, 105), _loss(CLEARED, 106))
    assert _sift(between, *with_it, _loss(RAISED, 106, "tapping")) == []
    again = (_turn(RAISED, 124), _loss(CHANGED, 127, "tapping"), _turn(CLEARED, 129))
    assert _sift(between, *again) == []
    (told,) = _sift(between, _loss(CHANGED, 140, "tapping"))
    assert (told.what, told.kind, told.ts) == (RAISED, "tapping", 140 * HOUR_MS)


def test_silence_of_the_turn_after_it_was_held_is_no_good_news() -> None:
    between = Between(SITE)
    assert _sift(between, _turn(RAISED, 100), _loss(RAISED, 103)) == []
    assert between.waits
    moment = 103 * HOUR_MS + LONGEST_MS
    assert between.sift([], moment) == []
    (told,) = between.sift([], moment + 1)
    assert (told.what, told.kind, told.ts) == (RAISED, "leak", moment + 1)


def test_it_waits_until_the_reach_has_drained_and_no_longer() -> None:
    between = Between(SITE)
    assert _sift(between, _turn(RAISED, 100), _loss(RAISED, 103), _turn(CLEARED, 105)) == []
    last = 105.0 + SETTLES_MS / HOUR_MS
    assert _sift(between, _loss(CHANGED, last - 0.1)) == []
    assert len(_sift(between, _loss(CHANGED, last))) == 1
