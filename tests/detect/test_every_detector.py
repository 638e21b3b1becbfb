# SPDX-License-Identifier: MIT
"""What holds for every entry of the index, found by itself.

A new entry needs a trouble in `waters.TROUBLES`: something that it must tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from kahriz_detect.detector import Detector
from kahriz_detect.engine import Engine
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample
from kahriz_detect.index import DETECTORS, detectors
from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.signals.silence import Expected, Silence

from . import waters

NAMES = sorted(DETECTORS)
WET = [n for n in NAMES if n not in waters.BY_CLOCK]
DRY = [n for n in NAMES if n in waters.BY_CLOCK]
HOUR_MS, DAY_MS = waters.HOUR_MS, waters.DAY_MS


def _stream(name: str, calm: bool = False, scale: float = 1.0) -> Iterator[Sample]:
    trouble = waters.TROUBLES[name]
    happens = None if calm else trouble
    return waters.samples(waters.water(trouble.step_s, trouble.days, happens, scale))


def _engine(name: str, scale: float = 1.0) -> Engine:
    return waters.engine(name, waters.TROUBLES[name].step_s, scale)


@cache
def _told(name: str) -> tuple[Finding, ...]:
    return tuple(waters.findings(_engine(name), _stream(name)))


def _heard(name: str, trouble: str | None) -> list[Finding]:
    """Of one that hears words: each, and a tick of the clock beside it."""
    (detector,) = DETECTORS[name](waters.site_of())
    found = []
    for word in waters.words(trouble):
        found += detector.update(word) + detector.tick(word.ts)
    return found


def _raised(found: list[Finding] | tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.kind, f.place) for f in found if f.what == RAISED]


def test_every_entry_of_the_index_has_a_trouble_to_tell() -> None:
    assert set(NAMES) == set(waters.TROUBLES) | set(waters.BY_CLOCK)


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_is_documented_named_and_knows_its_kinds(name: str) -> None:
    built = DETECTORS[name](waters.site_of())
    assert built
    for detector in built:
        doc = type(detector).__doc__ or ""
        assert all(part in doc for part in ("Parameters", "Examples", ">>>", "References"))
        assert detector.kinds
        assert detector.points or type(detector).step is not Detector.step


def test_names_are_unique() -> None:
    names = [d.name for d in detectors(waters.site_of())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", WET)
def test_it_tells_its_trouble_and_nothing_before_it(name: str) -> None:
    trouble = waters.TROUBLES[name]
    kinds = [f.kind for f in _told(name) if f.what == RAISED and f.ts > trouble.day * DAY_MS]
    assert trouble.kind in kinds
    own = {k for d in DETECTORS[name](waters.site_of()) for k in d.kinds}
    assert {f.kind for f in _told(name)} <= own
    early = [f for f in _told(name) if f.ts <= trouble.day * DAY_MS]
    assert [f for f in early if not f.kind.startswith("use:")] == []


@pytest.mark.parametrize("name", WET)
def test_it_is_quiet_on_calm_water(name: str) -> None:
    found = waters.findings(_engine(name), _stream(name, calm=True))
    assert [f for f in found if not f.kind.startswith("use:")] == []


@pytest.mark.parametrize("name", WET)
def test_a_gap_neither_raises_nor_clears(name: str) -> None:
    """Two days without a word right after it was told: in them nothing is said."""
    kind, day = waters.TROUBLES[name].kind, waters.TROUBLES[name].day
    raised = next(
        f.ts for f in _told(name) if f.kind == kind and f.what == RAISED and f.ts > day * DAY_MS
    )
    begins = raised + 2000 * waters.TROUBLES[name].step_s  # a day is judged when the next begins
    ends = begins + 2 * DAY_MS
    engine, told, before = _engine(name), [], []
    for sample in _stream(name):
        if sample.ts <= begins:
            before += engine.update(sample)
        elif sample.ts > ends:
            told += engine.update(sample)
    before += engine.advance(begins)
    assert kind in {k for k, _ in _raised(before)}
    in_gap = [f for f in told if begins < f.ts <= ends and f.what in (RAISED, CLEARED)]
    assert in_gap == []


@pytest.mark.parametrize("name", WET)
def test_it_says_the_same_twice_and_across_restarts(name: str) -> None:
    site = waters.site_of(waters.TROUBLES[name].step_s)
    engine, found = _engine(name), []
    for number, sample in enumerate(_stream(name)):
        if number % 701 == 700:
            kept = json.loads(json.dumps(engine.dump()))
            engine = Engine(site, DETECTORS[name](site))
            engine.load(kept)
        found += engine.update(sample)
    assert tuple(found) == _told(name)


@pytest.mark.parametrize("name", WET)
def test_a_kahriz_twice_as_large_is_told_the_same(name: str) -> None:
    found = waters.findings(_engine(name, 2.0), _stream(name, scale=2.0))
    assert _raised(found) == _raised(_told(name))
    pairs = zip(found, _told(name), strict=False)
    assert all(abs(a.ts - b.ts) <= DAY_MS for a, b in pairs if a.what == b.what == RAISED)


@pytest.mark.parametrize("name", DRY)
def test_one_that_hears_words_tells_its_trouble_once(name: str) -> None:
    assert _heard(name, None) == []
    (found,) = _heard(name, name)
    assert (found.what, found.place) == (RAISED, "middle")
    assert found.kind in DETECTORS[name](waters.site_of())[0].kinds
    assert found.ts > 60 * HOUR_MS


@pytest.mark.parametrize("name", DRY)
def test_one_that_hears_words_survives_restarts(name: str) -> None:
    (detector,), found = DETECTORS[name](waters.site_of()), []
    for word in waters.words(name):
        (other,) = DETECTORS[name](waters.site_of())
        other.load(json.loads(json.dumps(detector.dump())))
        assert other.dump() == detector.dump()
        detector = other
        found += detector.update(word) + detector.tick(word.ts)
    assert found == _heard(name, name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_about_nothing(name: str) -> None:
    for detector in DETECTORS[name](waters.site_of()):
        assert detector.tick(0) == []
        assert detector.update(Sample(0, "elsewhere", "discharge_lps", 1.0)) == []


def test_parameters_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Cusum(drift=0.0, threshold=1.0, persist=1)
    with pytest.raises(ValueError, match="period"):
        Silence("a", [Expected("a", "a", 0)])


def test_one_failed_upload_is_not_a_silence() -> None:
    silence = Silence("here", [Expected("outlet", "outlet", 3600)])
    silence.update(Sample(0, "outlet", "word", 1.0))
    assert silence.tick(int(2.5 * 3_600_000)) == []
    assert [f.kind for f in silence.tick(int(3.2 * 3_600_000))] == ["silent_node"]
    assert silence.tick(5 * 3_600_000) == []


def _five() -> Silence:
    return Silence("here", [Expected(n, n, 3600) for n in "abcde"])


def test_when_nobody_is_heard_it_is_one_alarm() -> None:
    silence = _five()
    for minute, node in enumerate("abcde"):
        silence.update(Sample(minute * 600_000, node, "word", 1.0))
    found = [f for hour in range(9) for f in silence.tick(hour * 1_800_000)]
    assert [(f.kind, f.place) for f in found] == [("gateway", "here")]
    back = silence.update(Sample(20_000_000, "c", "word", 1.0))
    assert [(f.what, f.kind) for f in back] == [("cleared", "gateway")]
    assert silence.tick(20_000_001) == []
    late = silence.tick(20_000_000 + 4 * 3_600_000)
    assert [f.kind for f in late] == ["gateway"]


def test_one_silent_among_others_is_a_silent_node() -> None:
    silence = _five()
    silence.tick(0)
    found = []
    for hour in range(1, 6):
        for node in "abde":
            found += silence.update(Sample(hour * 3_600_000, node, "word", 1.0))
        found += silence.tick(hour * 3_600_000 + 1)
    assert [(f.kind, f.place) for f in found] == [("silent_node", "c")]


@pytest.mark.parametrize("name", ["balance", "leap", "pool", "source", "storm"])
def test_what_a_person_waved_off_is_usual_and_more_of_it_is_told(name: str) -> None:
    """Closed within the hour; the same trouble comes on top of it a few days later, if it can."""
    trouble, again_h = waters.TROUBLES[name], 30.0 if name != "pool" else 96.0

    def happens(values: waters.Values, hours: float) -> None:
        trouble.happens(values, hours)
        if hours >= again_h:
            trouble.happens(values, hours)
            values["lost"] *= 2.0

    twice = replace(trouble, happens=happens, days=trouble.day + again_h / 24.0 + 3.0)
    engine, told, closed = _engine(name), [], False
    for sample in waters.samples(waters.water(trouble.step_s, twice.days, twice)):
        found = [f for f in engine.update(sample) if f.kind in (trouble.kind, "leak:second")]
        told += [f for f in found if f.what == RAISED]
        if told and not closed:
            closed = True
            engine.agree([], [])
            kept = json.loads(json.dumps(engine.dump()))
            engine = _engine(name)
            engine.load(kept)
    hours = [(f.ts - trouble.day * DAY_MS) / HOUR_MS for f in told]
    assert 0 < hours[0] < again_h
    assert [h for h in hours[1:] if h < again_h] == [], "it was closed: that is usual now"
    if name in ("balance", "pool", "source"):
        assert [f.kind for f in told] == [trouble.kind] * 2
