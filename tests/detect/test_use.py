# SPDX-License-Identifier: MIT
"""A village that uses water as people do: silent while nothing leaks, heard when something does."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.site import Pool, Zone
from kahriz_detect.use.zone import Use

DAY_H, HOUR_MS = 24, 3_600_000
MEAN_LPS = 5.0
VILLAGE = Zone("village", "village", ("meter",))
TANK = Pool("tank", "level", (), (), ((0.0, 0.0), (5.0, 500.0)))
Leaks = tuple[tuple[float, float, float], ...]  # first day, last day, share of the mean use


def _frames(days: int, leaks: Leaks = (), seed: int = 1, scale: float = 1.0) -> Iterator[Frame]:
    """Two peaks a day, late Sundays, a season of 10 %, growth, days that resemble the last."""
    rng, mood, number = random.Random(seed), 0.0, 0
    for day in range(days):
        mood = 0.6 * mood + 0.015 * rng.gauss(0.0, 1.0)
        season = 1.0 + 0.1 * math.sin(2 * math.pi * day / 365.0) + 0.03 * day / 365.0
        for hour in range(DAY_H):
            h = hour - 2.0 * (day % 7 == 6)
            shape = (
                0.35 + 1.1 * math.exp(-(((h - 8) / 2.5) ** 2)) + math.exp(-(((h - 19) / 3) ** 2))
            )
            use = MEAN_LPS * shape * season * (1.0 + mood + 0.06 * rng.gauss(0.0, 1.0))
            t = day + hour / DAY_H
            lost = MEAN_LPS * sum(share for first, last, share in leaks if first <= t < last)
            number += 1
            yield Frame(number, number * HOUR_MS, {"meter": (use + lost) * scale})


def _run(frames: Iterator[Frame], use: Use | None = None) -> list[tuple[float, Finding]]:
    use = use or Use(VILLAGE, 3600)
    return [(f.ts / HOUR_MS / DAY_H, x) for f in frames for x in use.step(f)]


def _raised(found: list[tuple[float, Finding]]) -> list[float]:
    return [round(day, 6) for day, x in found if x.what == RAISED]


@pytest.mark.parametrize("seed", range(4))
def test_a_calm_year_with_season_and_growth_is_silent(seed: int) -> None:
    assert _raised(_run(_frames(365, seed=seed))) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_leak_of_a_seventh_is_heard_within_two_days_and_told_by_its_size(seed: int) -> None:
    found = _run(_frames(80, ((60.4, 80, 0.15),), seed))
    (day,) = _raised(found)
    assert 60.4 < day <= 62.4
    (alarm,) = (x for _, x in found if x.what == RAISED)
    assert (alarm.kind, alarm.place) == ("leak", "village")
    assert alarm.lps == pytest.approx(0.15 * MEAN_LPS, rel=0.5)


def test_novruz_is_no_leak_where_its_days_are_told() -> None:
    """Sundays use a third more by day and by night, and so do the days of a feast."""

    def frames() -> Iterator[Frame]:
        first = (date(2025, 11, 3) - date(1970, 1, 1)).days * DAY_H  # a Monday
        for frame in _frames(160, seed=3):
            hour = first + frame.number - 1
            day = date(1970, 1, 1) + timedelta(hours=hour)
            feast = (3, 20) <= (day.month, day.day) <= (3, 24)
            more = MEAN_LPS / 3.0 if day.weekday() == 6 or feast else 0.0
            ts = (hour + 1) * HOUR_MS
            yield Frame(hour, ts, {"meter": frame.values["meter"] + more})

    assert _raised(_run(frames())) != []
    assert _raised(_run(frames(), Use(VILLAGE, 3600, ["03-20..03-24"]))) == []


def test_a_second_leak_on_top_of_the_first_and_the_repair_are_both_seen() -> None:
    found = _run(_frames(120, ((50.2, 100, 0.2), (70.6, 100, 0.2)), 2))
    first, second = _raised(found)
    assert 50 < first < 53 < 70 < second < 73
    last = found[-1]
    assert last[1].what == CLEARED
    assert 100 < last[0] < 103


def test_a_gap_neither_raises_nor_clears() -> None:
    frames = [f for f in _frames(120, ((60.4, 120, 0.2),), 3) if not 70 < f.number / DAY_H < 76]
    assert len(_raised(_run(iter(frames)))) == 1
    calm = [f for f in _frames(120, (), 3) if not 70 < f.number / DAY_H < 90]
    assert _run(iter(calm)) == []


def test_one_odd_evening_is_not_a_leak() -> None:
    assert _raised(_run(_frames(90, ((60.75, 60.95, 1.5),), 1))) == []


def test_the_unit_does_not_matter() -> None:
    leaks = ((60.4, 80, 0.15),)
    small, large = (_raised(_run(_frames(80, leaks, 1, s))) for s in (1.0, 64.0))
    assert small == large != []


def test_what_is_kept_goes_on_as_if_nothing_had_happened() -> None:
    frames = list(_frames(80, ((60.4, 80, 0.15),)))
    whole = _run(iter(frames))
    before, after = Use(VILLAGE, 3600), Use(VILLAGE, 3600)
    found = _run(iter(frames[: 61 * DAY_H - 5]), before)
    after.load(json.loads(json.dumps(before.dump())))
    assert found + _run(iter(frames[61 * DAY_H - 5 :]), after) == whole


def test_water_that_fills_a_tank_is_not_used() -> None:
    zone = Zone("high", "high", ("pump",), (), (TANK,))
    use, volume = Use(zone, 3600), 250.0
    for frame in _frames(20):
        people = frame.values["meter"]
        pump = 2.2 * MEAN_LPS if volume < 200.0 else 0.4 * MEAN_LPS
        volume += (pump - people) * 3.6
        use.step(Frame(frame.number, frame.ts, {"pump": pump, "level": volume / 100.0}))
        if frame.number > 1:
            assert use.hours.sum == pytest.approx(people)
