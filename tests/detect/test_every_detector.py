# SPDX-License-Identifier: MIT
"""What holds for every entry of the index, found by itself."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from kahriz_detect import DETECTORS, detectors
from kahriz_detect.cusum import Cusum
from kahriz_detect.finding import Sample
from kahriz_detect.silence import Silence


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_a_detector_is_documented_named_and_knows_its_kinds(
    name: str, water: SimpleNamespace
) -> None:
    built = DETECTORS[name](water.plan_of(water.GOZLU))
    assert built
    for detector in built:
        doc = type(detector).__doc__ or ""
        assert all(part in doc for part in ("Parameters", "Examples", ">>>", "References"))
        assert detector.kinds
        assert detector.points


def test_names_are_unique(water: SimpleNamespace) -> None:
    names = [d.name for d in detectors(water.plan_of(water.VALIBAY))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_state_goes_through_json_unchanged(name: str, water: SimpleNamespace) -> None:
    plan = water.plan_of(water.GOZLU)
    (first, *_), (second, *_) = DETECTORS[name](plan), DETECTORS[name](plan)
    for i in range(400):
        for point in first.points:
            quantity = "word" if first.by_clock else "discharge_lps"
            first.update(Sample(i * 300_000, point, quantity, 12.0 + i % 7 * 0.1))
    second.load(json.loads(json.dumps(first.dump())))
    assert second.dump() == first.dump()


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_nothing_is_said_about_nothing(name: str, water: SimpleNamespace) -> None:
    for detector in DETECTORS[name](water.plan_of(water.GOZLU)):
        assert detector.tick(0) == []
        assert detector.update(Sample(0, "elsewhere", "discharge_lps", 1.0)) == []


def test_parameters_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Cusum(drift=0.0, threshold=1.0, persist=1)
    with pytest.raises(ValueError, match="period"):
        Silence("a", "a", period_s=0)


def test_one_failed_upload_is_not_a_silence() -> None:
    silence = Silence("outlet", "outlet", period_s=3600)
    silence.update(Sample(0, "outlet", "word", 1.0))
    assert silence.tick(int(2.5 * 3_600_000)) == []
    assert [f.kind for f in silence.tick(int(3.2 * 3_600_000))] == ["silent_node"]
    assert silence.tick(5 * 3_600_000) == []
