# SPDX-License-Identifier: MIT
"""Night flows of a village: what rises and stays is a leak, a feast or a season is none."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest

from kahriz_detect.finding import RAISED
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.nights import Nights
from kahriz_detect.site import Zone
from kahriz_detect.use.zone import Use

HOUR_MS = 3_600_000
NIGHT, DAY = 5.0, 9.0  # L/s
WORTH = 0.04 * DAY  # less is not told
Leak = Callable[[int], float]


def _rings(leak: Leak, nights: int = 140, seed: int = 1, irrigated: bool = False) -> list[int]:
    """The nights that rang; weekends differ by a tenth, days scatter four times as much."""
    rng, watch, found = random.Random(seed), Nights(), []
    for n in range(nights):
        weekend = 0.1 * NIGHT * (n % 7 >= 5)
        night = NIGHT + weekend + 0.1 * rng.gauss(0.0, 1.0) + 0.2 * math.sin(n / 58.0) + leak(n)
        if irrigated and n % 9 == 4:
            night += 3.0
        best = watch.add(n, night, DAY + 0.4 * rng.gauss(0.0, 1.0) + leak(n - 1))
        if best is not None and best[1] > WORTH and best[2] >= best[0].z:
            found.append(n)
            watch.rebase(best[1], best[0])
    return found


def _none(night: int) -> float:
    return 0.0


@pytest.mark.parametrize("irrigated", [False, True])
def test_five_calm_years_with_weekends_a_season_and_wet_fields_ring_once_at_most(
    irrigated: bool,
) -> None:
    assert sum(len(_rings(_none, 365, seed, irrigated)) for seed in range(5)) <= irrigated


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_of_an_eighth_rings_after_its_second_or_third_night(seed: int) -> None:
    found = _rings(lambda n: 0.6 if n >= 100 else 0.0, 120, seed)
    assert found
    assert found[0] in (101, 102)


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_that_grows_for_three_weeks_rings_before_it_is_grown(seed: int) -> None:
    found = _rings(lambda n: min(max(n - 90, 0) / 21.0, 1.0) ** 2, 125, seed)
    assert found
    assert 97 <= found[0] <= 111


def test_what_only_the_night_uses_is_no_leak() -> None:
    """A gate forgotten at night: the days know nothing of it."""
    rng, watch = random.Random(3), Nights()
    for n in range(120):
        more = 1.5 if n >= 100 else 0.0
        best = watch.add(n, NIGHT + more + 0.1 * rng.gauss(0, 1), DAY + 0.1 * rng.gauss(0, 1))
        assert best is None or best[0].nights == 1 or abs(best[2]) < best[0].z


@pytest.mark.parametrize(("by_day", "rings"), [(1.0, True), (3.0, False)])
def test_a_heat_that_people_feel_by_day_is_no_leak_though_the_nights_rise(
    by_day: float, rings: bool
) -> None:
    """The same nights: a leak adds as much by day, gardens three times as much."""
    rng, watch, rang = random.Random(4), Nights(), []
    for n in range(130):
        more = 0.8 * min(max(n - 100, 0) / 6.0, 1.0)
        night, day = NIGHT + more + 0.1 * rng.gauss(0, 1), DAY + by_day * more
        best = watch.add(n, night, day + 0.1 * rng.gauss(0, 1))
        rang += [n] if best is not None and abs(best[2]) >= best[0].z else []
    assert bool(rang) == rings


def test_what_is_kept_of_the_nights_goes_on() -> None:
    whole, before, after = Nights(), Nights(), Nights()
    rng = random.Random(5)
    lost = [1.0 * (n >= 60) for n in range(90)]
    flows = [
        (n, NIGHT + lost[n] + rng.gauss(0, 0.2), DAY + lost[n] + rng.gauss(0, 0.2))
        for n in range(90)
    ]
    said = [whole.add(*f) for f in flows]
    for flow in flows[:50]:
        before.add(*flow)
    after.load(json.loads(json.dumps(before.dump())))
    assert [after.add(*f) for f in flows[50:]] == said[50:]
    assert any(said)


@pytest.mark.parametrize("first", [1, 11, 21])
def test_the_quietest_hours_are_found_wherever_they_are(first: int) -> None:
    """In UTC, in a town of night shifts: hours have no names."""
    use, rng, alarms = Use(Zone("here", "here", ("meter",)), 3600), random.Random(2), []
    for hour in range(24 * 110):
        quiet = (hour - first) % 24 < 5
        base = 3.0 if quiet else 9.0
        noise = rng.gauss(0.0, 0.06 if quiet else 1.8)
        lps = base + noise + (0.5 if hour >= 24 * 100 else 0.0)
        alarms += [
            (hour / 24, x)
            for x in use.step(Frame(hour, (hour + 1) * HOUR_MS, {"meter": lps}))
            if x.what == RAISED
        ]
    ((day, alarm),) = alarms
    assert 100 < day < 104
    assert use.night.first in (first, (first + 1) % 24)
    assert alarm.lps == pytest.approx(0.5, rel=0.4)
