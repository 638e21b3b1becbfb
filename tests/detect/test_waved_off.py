# SPDX-License-Identifier: MIT
"""What a person closed is over for its detector; what is dead or silent still is told again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample
from kahriz_detect.frame import Frame
from kahriz_detect.index import DETECTORS
from kahriz_detect.joint import AGAIN_MS, Joint
from kahriz_detect.pools.pool import PoolBalance
from kahriz_detect.signals.channel import Channel
from kahriz_detect.site import Pool

from . import waters

HOUR_MS, DAY_MS = waters.HOUR_MS, waters.DAY_MS


def _told(
    name: str,
    trouble: waters.Trouble,
    wait_h: float,
    kinds: tuple[str, ...],
    place: str | None = None,
) -> list[float]:
    """Hours after the trouble began at which it was told; the first is closed by hand."""
    site, engine, told = waters.site_of(trouble.step_s), waters.engine(name, trouble.step_s), []
    closed_ms: float | None = None
    for sample in waters.samples(waters.water(trouble.step_s, trouble.days, trouble)):
        for finding in engine.update(sample):
            if finding.what == RAISED and finding.kind in kinds and place in (None, finding.place):
                told.append((finding.ts - trouble.day * DAY_MS) / HOUR_MS)
        if told and closed_ms is None and sample.ts >= trouble.day * DAY_MS + wait_h * HOUR_MS:
            closed_ms = sample.ts
            engine.agree([], [])
            kept = json.loads(json.dumps(engine.dump()))
            engine = Engine(site, DETECTORS[name](site))
            engine.load(kept)
    assert closed_ms is not None
    return told


def test_a_sensor_that_is_dead_though_a_person_closed_it_is_told_again_after_days() -> None:
    trouble = replace(waters.TROUBLES["validity"], days=6.0 + 5.0)
    first, again = _told("validity", trouble, 0.0, (trouble.kind,), "inlet")
    assert again - first == pytest.approx(AGAIN_MS / HOUR_MS, abs=1.0)


def test_a_fault_that_was_closed_hides_no_other_of_the_same_sensor() -> None:
    channel = Channel("level_m")
    assert channel.open("noise", 0)
    assert not channel.open("stuck", 1), "the same fault, as long as nobody closed it"
    channel.wave_off()
    assert not channel.open("spikes", 2)
    assert channel.open("stuck", 3)
    assert channel.over(60 * HOUR_MS) == ["stuck", "noise"]
    assert channel.open("noise", 61 * HOUR_MS)


def test_a_source_that_fell_is_usual_once_a_person_said_so_and_its_next_fall_is_told() -> None:
    def happens(values: waters.Values, hours: float) -> None:
        waters._less(values, 0.85 if hours < 250 * 24 else 0.85 * 0.85)

    trouble = replace(waters.TROUBLES["year"], happens=happens, days=370.0 + 360.0)
    first, second = _told("year", trouble, 0.0, (trouble.kind,))
    assert first < 120 * 24
    assert 250 * 24 < second < 350 * 24


@pytest.mark.parametrize(("share", "after_h"), [(2.0, 2.0), (0.0, 1.0), (1.0, 0.0)])
def test_a_leak_that_was_waved_off_is_told_within_hours_when_it_grows_and_not_when_it_is_mended(
    share: float, after_h: float
) -> None:
    closed_h = 8.0

    def happens(values: waters.Values, hours: float) -> None:
        for _ in range(1 if hours < closed_h + after_h else round(share)):
            waters.TROUBLES["balance"].happens(values, hours)

    trouble = replace(waters.TROUBLES["balance"], happens=happens, days=9.0)
    kinds = ("leak", "leak:second", "fouled_weir", "balance_doubt", "sensor_fault:offset")
    told = _told("balance", trouble, closed_h, kinds)[1:]
    if share > 1.0:
        assert [h for h in told if h < closed_h + after_h + 3.0], "told while it is being learned"
    else:
        assert told == []


def _moved(pool: PoolBalance, moves: dict[int, float], steps: int) -> list[Finding]:
    """Its level sensor is hung elsewhere at some steps; the first alarm is closed by hand."""
    found: list[Finding] = []
    off, joint = 0.0, Joint(waters.site_of())
    for i in range(steps):
        off += moves.get(i, 0.0)
        values = {"level": 1.5 + off + i % 3 * 0.001, "in": 5.0, "out": 5.0}
        news = joint.decide(pool.step(Frame(i, i * 600_000, values)), i * 600_000)
        found += news
        if news and len(found) == 1:
            joint.close([], [pool], i * 600_000)
            joint.agree([])
    return found


def test_a_level_sensor_that_is_moved_twice_is_told_twice() -> None:
    table = ((0.0, 0.0), (3.0, 300.0))
    pool = PoolBalance(Pool("pool", "level", ("in",), ("out",), table), 600)
    found = _moved(pool, {400: 0.3, 700: 0.2}, 900)
    told = [(f.what, f.kind) for f in found if f.kind == "sensor_fault:offset"]
    assert told == [(RAISED, "sensor_fault:offset")] * 2


def _heard(name: str, hours: int, mended_h: int, clock: Callable[[int], bool]) -> list[Finding]:
    """One of those that hear words; the first alarm is closed by hand at once."""
    (detector,) = DETECTORS[name](waters.site_of())
    joint, found = Joint(waters.site_of()), []
    for word in waters.words(name, hours):
        hour = word.ts // HOUR_MS
        if word.point == "middle" and hour >= mended_h and word.quantity == "clock":
            word = Sample(word.ts, word.point, word.quantity, 60.0)
        if hour >= mended_h and name == "silence":
            detector.update(word._replace(point="middle", quantity="word"))
        news = joint.decide(detector.update(word) + detector.tick(word.ts), word.ts)
        found += news
        if clock(len(found)) and news:
            joint.close([], [detector], word.ts)
            joint.agree([])
            joint.load(json.loads(json.dumps(joint.dump())))
    return found


@pytest.mark.parametrize("name", waters.BY_CLOCK)
def test_a_node_that_stays_silent_or_wrong_is_told_again_each_time_it_is_closed(name: str) -> None:
    found = _heard(name, 60 + 24 * 8, 10**6, lambda many: many < 3)
    assert [(f.what, f.place) for f in found] == [(RAISED, "middle")] * 3
    days = [(b.ts - a.ts) / DAY_MS for a, b in pairwise(found)]
    assert days == pytest.approx([AGAIN_MS / DAY_MS] * 2, abs=0.1)


def test_a_clock_that_was_mended_after_its_alarm_was_closed_is_not_told_again() -> None:
    found = _heard("node_clock", 60 + 24 * 5, 80, lambda many: True)
    assert [f.what for f in found] == [RAISED]


def test_what_an_older_version_kept_is_read() -> None:
    joint = Joint(waters.site_of())
    joint.load([["leak", "upper"]])
    assert joint.decide([Finding(CLEARED, "leak", "upper", 0)], 0) != []
