# SPDX-License-Identifier: MIT
"""Three weirs of a channel whose travel time nobody knows: which of them errs, and what leaks."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kahriz_detect.finding import Finding
from kahriz_detect.frame import Frame
from kahriz_detect.reach.balance import Balance
from kahriz_detect.site import Reach

DAY, BEGINS = 144, 20 * 144
KEYS = ("outlet", "middle", "inlet")
Errors = Callable[[float], tuple[float, float, float]]  # of the hours since it began


def _found(errors: Errors, days: float, seed: int = 3) -> list[Finding]:
    rng = random.Random(seed)
    first = Reach("upper", "outlet", "middle", length_m=1500.0)
    second = Reach("lower", "middle", "inlet", length_m=1500.0)
    balance = Balance([first, second], 600)
    found: list[Finding] = []
    for i in range(BEGINS + int(days * DAY)):
        off = errors((i - BEGINS) / 6.0) if i >= BEGINS else (0.0, 0.0, 0.0)
        values = {
            key: flow + error + rng.gauss(0.0, 0.1)
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
