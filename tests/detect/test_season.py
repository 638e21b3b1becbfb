# SPDX-License-Identifier: MIT
"""A village of guests: what came in the same weeks of last year is no leak, and hides none."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.finding import RAISED
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.nights import Nights
from kahriz_detect.numbers.season import Course
from kahriz_detect.site import Zone
from kahriz_detect.use.zone import Use

DAY_H, HOUR_MS, YEAR = 24, 3_600_000, 365
MEAN_LPS = 5.0
FIRST_DAY = 19_723  # 2024-01-01
COME, GO = 165, 250  # days of the year
Leaks = tuple[tuple[float, float, float], ...]  # first day, last day, share of the mean use


def _guests(day: float) -> float:
    """They come within a fortnight in June and go so in September."""
    return 1.0 / (1.0 + math.exp((COME - day) / 4.0)) - 1.0 / (1.0 + math.exp((GO - day) / 4.0))


def _frames(days: int, leaks: Leaks = (), seed: int = 1) -> Iterator[Frame]:
    """Half as much again at all hours in summer; no two years on the very day or as many."""
    rng, mood = random.Random(seed), 0.0
    years = [(rng.gauss(0.0, 3.0), rng.gauss(1.0, 0.08)) for _ in range(days // YEAR + 1)]
    for day in range(days):
        mood = 0.6 * mood + 0.015 * rng.gauss(0.0, 1.0)
        late, many = years[day // YEAR]
        more = 0.5 * many * _guests(day % YEAR - late)
        for hour in range(DAY_H):
            h = hour - 2.0 * (day % 7 == 6)
            shape = 0.35 + 1.1 * math.exp(-(((h - 8) / 2.5) ** 2))
            shape += math.exp(-(((h - 19) / 3) ** 2))
            use = MEAN_LPS * (shape + more) * (1.0 + mood + 0.06 * rng.gauss(0.0, 1.0))
            t = day + hour / DAY_H
            lost = MEAN_LPS * sum(share for first, last, share in leaks if first <= t < last)
            number = (FIRST_DAY + day) * DAY_H + hour
            yield Frame(number, (number + 1) * HOUR_MS, {"meter": use + lost})


def _raised(frames: Iterator[Frame]) -> list[float]:
    use = Use(Zone("village", "village", ("meter",)), 3600)
    return [
        round(frame.ts / HOUR_MS / DAY_H - FIRST_DAY, 2)
        for frame in frames
        for finding in use.step(frame)
        if finding.what == RAISED
    ]


def test_guests_who_come_again_in_june_are_no_leak() -> None:
    """Nobody could know them in the first year; one of four second years is odd."""
    rang = [day for seed in range(4) for day in _raised(_frames(YEAR + COME + 40, (), seed))]
    first = [day for day in rang if COME - 30 < day < COME + 40]
    again = [day for day in rang if COME - 30 < day - YEAR < COME + 40]
    assert len(first) >= 12
    assert len(again) <= 1


@pytest.mark.parametrize("day", [60.4, 120.4, 205.4, 300.4])
def test_a_leak_of_an_eighth_is_heard_in_the_second_year_with_the_guests_and_without(
    day: float,
) -> None:
    begins = YEAR + day
    raised = _raised(_frames(int(begins) + 6, ((begins, 2 * YEAR, 0.125),), 2))
    assert [x for x in raised if begins < x < begins + 3.2]


def _nights(days: int, leak_lps: float = 0.0) -> Iterator[tuple[int, float, float]]:
    """Night, flow and the day's before it; a leak of three weeks in each spring."""
    rng = random.Random(7)
    for n in range(days):
        more = 2.0 * _guests(n % YEAR) + leak_lps * (60 <= n % YEAR < 81)
        yield n, 5.0 + more + 0.1 * rng.gauss(0.0, 1.0), 9.0 + more + 0.3 * rng.gauss(0.0, 1.0)


def test_nothing_differs_before_a_year_is_known() -> None:
    without, dated = Nights(), Nights()
    for n, night, day in _nights(YEAR - 1):
        assert dated.add(n, night, day, date=n) == without.add(n, night, day)
    assert dated.past == without.past


def test_last_years_leak_of_three_weeks_does_not_hide_one_of_this_year() -> None:
    nights, heard = Nights(), []
    for n, night, day in _nights(YEAR + 70, 0.8):
        best = nights.add(n, night, day, date=n)
        if best is not None and best[2] > best[0].z:
            heard.append(n % YEAR)
            nights.rebase(best[1], best[0])
    assert heard.count(61) + heard.count(62) == 2


def test_a_course_forgets_what_a_sensor_did_not_see() -> None:
    course = Course()
    for day in range(YEAR + 60):
        if not 140 <= day < 240:  # silent while the level rose
            course.learn(day, 3.0 if day >= 200 else 1.0)
    assert course.moved(YEAR + 100.0, YEAR + 300.0) == 0.0


def test_a_summer_that_never_returns_is_soon_not_believed() -> None:
    nights = Nights()
    for n, night, day in _nights(2 * YEAR):
        gone = 2.0 * _guests(n % YEAR) if n >= YEAR else 0.0
        nights.add(n, night - gone, day - gone, date=n)
        if n == YEAR + COME - 40:
            before = nights.season.possible
    assert nights.season.proven == 0.0
    assert nights.season.possible < 0.5 * before


def test_what_is_kept_in_the_second_year_goes_on_and_an_older_state_is_taken() -> None:
    flows = list(_nights(YEAR + 300))
    whole, before, after, older = Nights(), Nights(), Nights(), Nights()
    said = [whole.add(n, night, day, date=n) for n, night, day in flows]
    half = YEAR + COME
    for n, night, day in flows[:half]:
        before.add(n, night, day, date=n)
    state = json.loads(json.dumps(before.dump()))
    after.load(state)
    assert [after.add(n, night, day, date=n) for n, night, day in flows[half:]] == said[half:]
    assert any(said[half:])
    older.load(state[:4])
    assert older.past == before.past
    older.add(*flows[half], date=half)
