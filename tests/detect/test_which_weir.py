# SPDX-License-Identifier: MIT
"""Three weirs of a channel whose travel time nobody knows: which of them errs, and what leaks."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding
from kahriz_detect.frame import Frame
from kahriz_detect.reach.balance import Balance
from kahriz_detect.site import Reach

DAY, BEGINS = 144, 20 * 144
KEYS = ("outlet", "middle", "inlet")
DECEMBER_MS = 1_798_559_695_000
Errors = Callable[[float], tuple[float, float, float]]  # of the hours since it began


def _found(
    errors: Errors, days: float, seed: int = 3, begins: int = BEGINS, noise_lps: float = 0.1
) -> list[Finding]:
    rng = random.Random(seed)
    first = Reach("upper", "outlet", "middle", length_m=1500.0)
    second = Reach("lower", "middle", "inlet", length_m=1500.0)
    balance = Balance([first, second], 600)
    found: list[Finding] = []
    for i in range(begins + int(days * DAY)):
        off = errors((i - begins) / 6.0) if i >= begins else (0.0, 0.0, 0.0)
        values = {
            key: flow + error + rng.gauss(0.0, noise_lps)
            for key, flow, error in zip(KEYS, (12.0, 11.6, 11.2), off, strict=True)
        }
        found += balance.step(Frame(i, i * 600_000, values))
    return [f for f in found if f.what == "raised"]


def test_calm_weirs_are_quiet() -> None:
    assert _found(lambda h: (0.0, 0.0, 0.0), 40) == []


@pytest.mark.parametrize(
    ("errors", "place"),
    [
        (lambda h: (0.0, -2.0, -2.0 * (h > 0.8)), "upper"),
        (lambda h: (0.0, 0.0, -2.0), "lower"),
    ],
)
def test_a_leak_takes_from_all_weirs_below_it(errors: Errors, place: str) -> None:
    found = _found(errors, 1)
    assert [(f.kind, f.place) for f in found] == [("leak", place)]
    assert found[0].ts <= (BEGINS + 18) * 600_000  # three hours


def test_a_middle_weir_that_reads_low_alone_is_no_leak() -> None:
    assert [f.kind for f in _found(lambda h: (0.0, -2.0, 0.0), 2) if f.kind == "leak"] == []


def test_leaves_in_the_last_weir_are_told_there() -> None:
    found = _found(lambda h: (0.0, 0.0, min(2.0, 0.02 * h)), 4)
    assert [(f.kind, f.place) for f in found] == [("fouled_weir", "inlet")]


def test_a_first_weir_that_falls_alone_has_an_offset() -> None:
    found = _found(lambda h: (-1.5, 0.0, 0.0), 2)
    assert [(f.kind, f.place) for f in found] == [("sensor_fault:offset", "outlet")]


@pytest.mark.parametrize("errors", [lambda h: (0.0, 0.0, 1.5), lambda h: (0.0, 1.5, 1.5)])
def test_a_leak_that_was_mended_is_no_fault_of_a_weir(errors: Errors) -> None:
    assert [f.kind for f in _found(errors, 2)] == ["balance_doubt"]


def _leaf(hours: float) -> float:
    """Creeps in for three days, up to 3 L/s, and is brushed off."""
    return 3.0 * hours / 72.0 if hours < 72.0 else 0.0


def test_a_leaf_that_was_learned_in_part_leaves_no_leak_behind_when_it_is_gone(
    water: SimpleNamespace,
) -> None:
    """A young village: the leaf creeps in while what is normal is still being learned."""
    stream = water.samples(
        water.GOZLU, "fouled_weir", 5, 7.5, events_from_day=5.0, start_ms=DECEMBER_MS
    )
    found = [f for f in water.findings(water.GOZLU, stream) if f.what == "raised"]
    assert [(f.kind, f.place) for f in found] == [("fouled_weir", "middle")]


def test_a_cleaned_weir_that_a_person_closed_leaves_no_leak_behind(water: SimpleNamespace) -> None:
    days_before, closed_h = 4.0, 3.5  # half an hour after the leaf is gone
    stream = water.samples(
        water.GOZLU, "fouled_weir", 2, 6.5, events_from_day=days_before, start_ms=DECEMBER_MS
    )
    engine = Engine(water.water_of(water.GOZLU))
    found: list[Finding] = []
    closed = False
    for sample in stream:
        if not closed and sample.ts > DECEMBER_MS + (24 * days_before + closed_h) * 3_600_000:
            engine.agree(still_open=[], known=[])
            closed = True
        found += engine.update(sample)
    raised = [(f.kind, f.place) for f in found if f.what == "raised"]
    assert raised == [("fouled_weir", "middle")]


def test_a_leak_after_the_leaf_is_gone_rings_all_the_same() -> None:
    def errors(hours: float) -> tuple[float, float, float]:
        lost = 2.0 if hours > 120.0 else 0.0
        return 0.0, _leaf(hours) - lost, -lost

    found = _found(errors, 7, 1, 27 * 6, 0.3)
    assert [(f.kind, f.place) for f in found] == [("fouled_weir", "middle"), ("leak", "upper")]
