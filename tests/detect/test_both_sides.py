# SPDX-License-Identifier: MIT
"""The settings that stay silent for a calm year must ring in time, and in every unit of time."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.finding import Finding, Sample
from kahriz_detect.replay.run import Replay
from kahriz_detect.replay.site_json import parse_site

STEP_MS = 600_000
DAY = 144
HOUR_MS = 3_600_000
BEGINS = 40  # day on which the water is lost
LEARNT = 14  # days; what is said before is judged by itself, below


def _site(names: tuple[str, str, str] = ("up", "mid", "in")) -> str:
    up, middle, down = names
    sensors = {n: {"quantity": "flow_lps", "at": "conveyance"} for n in names}
    places = {"first": f"between {up} and {middle}", "second": f"between {middle} and {down}"}
    data = {"site": "calm", "interval_s": 600, "conveyance_length_m": 1500}
    return json.dumps(data | {"conveyance": "full pipe", "sensors": sensors, "places": places})


def _year(
    days: int,
    loss: float = 0.0,
    scale: float = 1.0,
    names: tuple[str, str, str] = ("up", "mid", "in"),
    gap: tuple[int, int] | None = None,
    seed: int = 11,
    begins: int = BEGINS,
) -> Iterator[tuple[int, Sample]]:
    """A spring of about 12 L/s with its season; meters whose errors last (AR(1), 0.7 a step)."""
    rng = random.Random(seed)
    error = [0.0, 0.0, 0.0]
    for i in range(1, days * DAY):
        day = i / DAY
        source = 12.0 + 2.0 * math.sin(2 * math.pi * day / 365.0)
        lost = loss * source if day >= begins else 0.0
        flows = (source, source - 0.3 - lost, source - 0.6 - lost)
        for n, flow in enumerate(flows):
            error[n] = 0.7 * error[n] + 0.08 * rng.gauss(0.0, 1.0)
            if gap and n == 1 and gap[0] <= day < gap[1]:
                continue
            value = max(0.0, flow + error[n]) * scale
            yield i * STEP_MS, Sample(i * STEP_MS, names[n], "flow_lps", round(value, 3))


def _raised(
    site: str, rows: Iterator[tuple[int, Sample]], after: int = LEARNT
) -> list[tuple[int, Finding]]:
    found = Replay(parse_site(site)).run(rows)
    return [(t, f) for t, f in found if f.what == "raised" and t > after * DAY * STEP_MS]


@pytest.mark.parametrize(("loss", "hours"), [(0.0, 0.0), (0.15, 24.0), (0.10, 7 * 24.0)])
def test_a_calm_year_is_silent_and_a_loss_rings_in_time(loss: float, hours: float) -> None:
    found = _raised(_site(), _year(365 if loss == 0.0 else BEGINS + 8, loss))
    if loss == 0.0:
        assert found == []
        return
    moment, finding = found[0]
    assert (finding.kind, finding.place) == ("leak", "first")
    assert 0 < moment - BEGINS * DAY * STEP_MS <= hours * HOUR_MS
    assert len(found) == 1


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_first_fortnight_is_silent_too(seed: int) -> None:
    assert _raised(_site(), _year(LEARNT, seed=seed), after=0) == []


def test_a_large_loss_of_the_first_days_is_told() -> None:
    moment, finding = _raised(_site(), _year(7, 0.15, begins=5), after=0)[0]
    assert (finding.kind, finding.place) == ("leak", "first")
    assert 0 < moment - 5 * DAY * STEP_MS <= 24 * HOUR_MS


def test_a_leak_that_grows_is_one_leak() -> None:
    """Three weeks of a joint that opens, after which a burst beside it is another."""

    def rows(burst: float) -> Iterator[tuple[int, Sample]]:
        for t, sample in _year(62):
            day = t / DAY / STEP_MS
            grown = 0.1 * max(0.0, day - BEGINS) + (burst if day >= 61 else 0.0)
            lost = 0.0 if sample.point == "up" else grown
            yield t, sample._replace(value=sample.value - lost)

    assert [f.kind for _, f in _raised(_site(), rows(0.0))] == ["leak"]
    assert [f.kind for _, f in _raised(_site(), rows(1.5))] == ["leak", "leak:second"]


def test_names_are_nothing_to_a_detector() -> None:
    names = ("zeta", "F_IN", "a1")
    one = _raised(_site(), _year(BEGINS + 3, 0.15))
    other = _raised(_site(names), _year(BEGINS + 3, 0.15, names=names))
    assert [(t, f.kind, f.place) for t, f in one] == [(t, f.kind, f.place) for t, f in other]


def test_a_spring_twice_as_large_rings_as_well() -> None:
    """All in doubled litres: a share of the flow decides, not a number of litres."""
    one = _raised(_site(), _year(BEGINS + 3, 0.15))
    other = _raised(_site(), _year(BEGINS + 3, 0.15, scale=2.0))
    assert [(f.kind, f.place) for _, f in one] == [(f.kind, f.place) for _, f in other]
    assert abs(one[0][0] - other[0][0]) <= 3 * HOUR_MS


def test_days_without_a_meter_raise_no_leak() -> None:
    found = _raised(_site(), _year(60, gap=(30, 45)))
    assert [f.kind for _, f in found if f.kind in ("leak", "tapping", "collapse")] == []
