# SPDX-License-Identifier: MIT
"""What people take or close at the mouth is explained, what falls with the chamber is not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from kahriz_detect.closure import Closure
from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site_plan import site_of
from kahriz_water.plan import parse_plan

STEP_MS, DAY, HOUR_MS = 600_000, 144, 3_600_000
NAME = 'name = { az = "-", ru = "-", en = "-" }'
POINTS = {"chamber": "chamber", "garden": "flow", "outlet": "weir", "next": "weir"}
PLAN = "\n".join(
    [f'[site]\nid = "here"\n{NAME}\ndistrict = "-"']
    + [f'[[point]]\nid = "{p}"\nkind = "{kind}"\n{NAME}\ndt_s = 600' for p, kind in POINTS.items()]
    + [
        f'[[reach]]\nid = "{r}"\n{NAME}\nfrom = "{a}"\nto = "{b}"\nlength_m = 300'
        for r, a, b in (("gallery", "chamber", "outlet"), ("upper", "outlet", "next"))
    ]
    + [f'[[offtake]]\nid = "gate"\n{NAME}\nreach = "gallery"\npoint = "garden"']
)
WEIR = 'kind = "weir"\nstructure = { kind = "v_notch", angle_deg = 90 }'
SITE = site_of(parse_plan(PLAN.replace('kind = "weir"', WEIR)))
FROM, TO = 6.0, 6.5  # days


def _samples(
    taken: float = 0.0, kept: float = 1.0, back: float = 9e9, closed: bool = False
) -> Iterator[Sample]:
    """12 L/s; in the turn some are taken above the mouth; a collapse keeps a part from then on."""
    rng = random.Random(4)
    for i in range(10 * DAY):
        day = i / DAY
        source = 12.0 * (kept if FROM <= day < back else 1.0)
        turn = FROM <= day < TO
        garden = min(source, taken) if turn else 0.0
        outlet = 0.0 if turn and closed else source - garden
        chamber = 0.6 if turn and closed else 0.30 * (source / 12.0) ** 2
        read = {"garden": garden, "outlet": outlet, "next": 0.97 * outlet, "chamber": chamber}
        for key, value in read.items():
            quantity = "level_m" if key == "chamber" else "flow_lps"
            yield Sample((i + 1) * STEP_MS, key, quantity, round(value * rng.gauss(1.0, 0.008), 4))


def _raised(
    stream: Iterator[Sample], told: str | None = None, without: str = ""
) -> list[tuple[str, float]]:
    """Kinds, and hours since the turn began."""
    engine = Engine(SITE, DETECTORS["source"](SITE))
    closures = [] if told is None else [Closure(told, _ms(FROM), _ms(TO))]
    found: list[Finding] = []
    for number, sample in enumerate(s for s in stream if s.point != without):
        if number % 501 == 500:
            kept, engine = engine.dump(), Engine(SITE, DETECTORS["source"](SITE))
            engine.load(json.loads(json.dumps(kept)))
        engine.closures.tell(closures)
        found += engine.update(sample)
    return [(f.kind, (f.ts - _ms(FROM)) / HOUR_MS) for f in found if f.what == RAISED]


def _ms(day: float) -> int:
    return round(day * DAY * STEP_MS)


@pytest.mark.parametrize("without", ["", "chamber"])
def test_what_a_metered_offtake_takes_above_the_mouth_is_not_lost(without: str) -> None:
    assert _raised(_samples(taken=6.0), without=without) == []


@pytest.mark.parametrize(("without", "kind"), [("", "blockage"), ("chamber", "source_drop")])
def test_the_same_fall_without_the_meter_s_word_is_told_within_two_hours(
    without: str, kind: str
) -> None:
    quiet = (s for s in _samples(taken=6.0) if s.point != "garden")
    ((told, hours),) = _raised(quiet, without=without)
    assert told == kind
    assert hours < 2.0


@pytest.mark.parametrize("without", ["", "chamber"])
def test_a_collapse_in_the_turn_is_told_within_two_hours(without: str) -> None:
    ((kind, hours),) = _raised(_samples(taken=3.0, kept=0.5), without=without)
    assert kind == ("source_drop" if without else "collapse")
    assert hours < 2.0


@pytest.mark.parametrize("told", ["outlet", "gate", "gallery", "upper", "here"])
def test_a_closure_that_people_told_is_silent_and_so_is_its_end(told: str) -> None:
    assert _raised(_samples(closed=True), told) == []
    assert _raised(_samples(closed=True), told, without="chamber") == []


def test_a_closure_that_nobody_told_is_told_where_no_chamber_shows_the_gate() -> None:
    ((kind, hours),) = _raised(_samples(closed=True), without="chamber")
    assert kind == "source_drop"
    assert hours < 2.0


@pytest.mark.parametrize("told", ["outlet", "gallery", "here"])
def test_a_collapse_in_a_closure_is_told_when_the_chamber_falls_with_it(told: str) -> None:
    ((kind, hours),) = _raised(_samples(kept=0.4), told)
    assert kind == "collapse"
    assert hours < 2.0


def test_a_collapse_that_outlives_the_closure_is_told_soon_after_it() -> None:
    ((kind, hours),) = _raised(_samples(kept=0.4, closed=True), "outlet", without="chamber")
    assert kind == "source_drop"
    assert 12.0 < hours < 12.0 + 4.0
