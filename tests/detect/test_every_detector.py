# SPDX-License-Identifier: MIT
"""What holds for every entry of the index, found by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kahriz_detect import DETECTORS, detectors
from kahriz_detect.cusum import Cusum
from kahriz_detect.detector import Detector
from kahriz_detect.finding import Sample
from kahriz_detect.silence import Expected, Silence
from kahriz_detect.site import CONDUCTIVITY, Signal, Site, Zone


def _village(water: SimpleNamespace) -> Site:
    """A site that has something to watch for each of them: also a probe, and people who use."""
    site: Site = water.water_of(water.GOZLU)
    probe = Signal("spring", "spring", CONDUCTIVITY)
    zones = (Zone("village", "village", ("inlet",)),)
    return replace(site, zones=zones, signals=(*site.signals, probe))


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_a_detector_is_documented_named_and_knows_its_kinds(
    name: str, water: SimpleNamespace
) -> None:
    built = DETECTORS[name](_village(water))
    assert built
    for detector in built:
        doc = type(detector).__doc__ or ""
        assert all(part in doc for part in ("Parameters", "Examples", ">>>", "References"))
        assert detector.kinds
        assert detector.points or type(detector).step is not Detector.step


def test_names_are_unique(water: SimpleNamespace) -> None:
    names = [d.name for d in detectors(water.water_of(water.VALIBAY))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_state_goes_through_json_unchanged(name: str, water: SimpleNamespace) -> None:
    site = _village(water)
    (first, *_), (second, *_) = DETECTORS[name](site), DETECTORS[name](site)
    for i in range(400):
        for point in first.points:
            quantity = "word" if first.by_clock else "discharge_lps"
            first.update(Sample(i * 300_000, point, quantity, 12.0 + i % 7 * 0.1))
    second.load(json.loads(json.dumps(first.dump())))
    assert second.dump() == first.dump()


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_nothing_is_said_about_nothing(name: str, water: SimpleNamespace) -> None:
    for detector in DETECTORS[name](_village(water)):
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
