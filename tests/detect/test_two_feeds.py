# SPDX-License-Identifier: MIT
"""A town of two feeds: a leak is told within hours; a turned valve and a crowd are no leak."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator

import pytest

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.site import Zone
from kahriz_detect.use.zone import Use

HOUR_MS, DAY_H = 3_600_000, 24
TOWN = Zone("town", "town", ("east", "west"), ("pump",))
FROM_H = 50 * DAY_H + 10  # in the forenoon
More = Callable[
    [int], tuple[float, float]
]  # L/s that run out, and that the east gives for the west


def _frames(more: More, hours: int, seed: int = 1, scale: float = 1.0) -> Iterator[Frame]:
    """Forty people's noise at once by day, a sixth of it at night; a pump that comes and goes."""
    rng, mood = random.Random(seed), 0.0
    for hour in range(hours):
        peak = math.exp(-((((hour % DAY_H) - 9) / 3.0) ** 2))
        evening = math.exp(-((((hour % DAY_H) - 19) / 3.0) ** 2))
        mood = 0.8 * mood + 0.6 * rng.gauss(0.0, 1.0)
        use = 20.0 + 16.0 * peak + 14.0 * evening
        use += mood * (0.3 + 1.5 * (peak + evening))
        pump = 12.0 if hour // 7 % 2 else 0.0
        lost, turned = more(hour)
        near = 0.35 * lost + turned  # the leak is nearer to the west
        east = 0.55 * use + 0.4 * pump + near + 0.1 * rng.gauss(0.0, 1.0)
        values = {"east": east, "west": use + pump + lost - east, "pump": pump}
        yield Frame(hour + 1, (hour + 1) * HOUR_MS, {key: scale * v for key, v in values.items()})


def _leak(lps: float, upto: int = 10**6) -> More:
    return lambda hour: (lps if FROM_H <= hour < upto else 0.0, 0.0)


def _run(frames: Iterator[Frame], use: Use | None = None) -> list[tuple[int, Finding]]:
    use = use or Use(TOWN, 3600)
    return [(f.number - 1 - FROM_H, x) for f in frames for x in use.step(f)]


def _raised(found: list[tuple[int, Finding]]) -> list[int]:
    return [hours for hours, x in found if x.what == RAISED]


@pytest.mark.parametrize("seed", range(4))
def test_a_tenth_is_told_within_six_hours_by_day(seed: int) -> None:
    found = _run(_frames(_leak(5.0), FROM_H + 60, seed))
    (after,) = _raised(found)
    assert 0 < after <= 6
    (alarm,) = (x for _, x in found if x.what == RAISED)
    assert alarm.evidence["heard_by"] == "steps"
    assert alarm.lps == pytest.approx(5.0, rel=0.6)


@pytest.mark.parametrize("seed", range(4))
def test_a_season_of_people_without_a_leak_is_silent(seed: int) -> None:
    assert _raised(_run(_frames(_leak(0.0), 90 * DAY_H, seed))) == []


@pytest.mark.parametrize("by", [-2.0, 2.0])
def test_a_valve_that_moves_the_share_and_no_water_is_no_leak(by: float) -> None:
    turned = _run(_frames(lambda hour: (0.0, by if hour >= FROM_H else 0.0), FROM_H + 240))
    assert _raised(turned) == []


def test_a_crowd_that_takes_water_everywhere_is_no_step() -> None:
    """A feast of a third more for six hours: both feeds give their usual parts of it."""

    def frames() -> Iterator[Frame]:
        for frame in _frames(_leak(0.0), FROM_H + 60):
            if FROM_H <= frame.number - 1 < FROM_H + 6:
                people = 0.3 * (frame.values["east"] + frame.values["west"])
                frame.values["east"] += 0.55 * people
                frame.values["west"] += 0.45 * people
            yield frame

    assert _raised(_run(frames())) == []


def test_the_repair_is_told_and_the_next_leak_is_heard_as_soon() -> None:
    """One step down closes the alarm; a new leak soon after it is no growth of the old one."""
    days = 8 * DAY_H

    def more(hour: int) -> tuple[float, float]:
        return (5.0 if FROM_H <= hour < FROM_H + days or hour >= FROM_H + 2 * days else 0.0), 0.0

    found = _run(_frames(more, FROM_H + 2 * days + 24))
    first, second = _raised(found)
    assert 0 < first <= 6
    assert 2 * days < second <= 2 * days + 6
    assert days < min(h for h, x in found if x.what == CLEARED and h > first) <= days + 12


def test_the_unit_does_not_matter() -> None:
    small, large = (_raised(_run(_frames(_leak(5.0), FROM_H + 30, 1, s))) for s in (1.0, 64.0))
    assert small == large != []


@pytest.mark.parametrize("cut", [30 * DAY_H, FROM_H + 1, FROM_H + 40])
def test_what_is_kept_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    frames = list(_frames(_leak(5.0, FROM_H + 90), FROM_H + 140))
    whole = _run(iter(frames))
    before, after = Use(TOWN, 3600), Use(TOWN, 3600)
    found = _run(iter(frames[:cut]), before)
    after.load(json.loads(json.dumps(before.dump())))
    assert found + _run(iter(frames[cut:]), after) == whole
    assert _raised(whole)


def test_a_state_from_before_there_were_steps_is_taken_and_learns_them() -> None:
    frames = list(_frames(_leak(5.0), FROM_H + 30))
    before, after = Use(TOWN, 3600), Use(TOWN, 3600)
    _run(iter(frames[: 20 * DAY_H]), before)
    state = json.loads(json.dumps(before.dump()))
    del state["sudden"]
    state["hours"] = state["hours"][:4]
    after.load(state)
    (told,) = _raised(_run(iter(frames[20 * DAY_H :]), after))
    assert 0 < told <= 6
