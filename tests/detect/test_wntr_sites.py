# SPDX-License-Identifier: MIT
"""Networks made with WNTR on which nobody has tuned: a leak is found where it is."""

from __future__ import annotations

from typing import Any

import pytest

from kahriz_detect.finding import CHANGED, RAISED, Finding
from kahriz_detect.replay.run import Replay
from kahriz_detect.replay.site_json import parse_site

from .wntr_sites import Kahriz, make

DAYS, LEAK_DAY = 30, 20.0
SEEDS = range(100, 106)
HOUR_MS = 3_600_000
LOSSES = ("leak", "tapping")


@pytest.fixture(scope="module")
def wntr(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """EPANET writes its files where it is called."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("epanet"))
    yield pytest.importorskip("wntr")
    patch.undo()


def _found(kahriz: Kahriz) -> list[tuple[int, Finding]]:
    return list(Replay(parse_site(kahriz.site)).run(kahriz.samples))


def _losses(found: list[tuple[int, Finding]]) -> list[tuple[int, Finding]]:
    return [(t, f) for t, f in found if f.what == RAISED and f.kind in LOSSES]


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_leak_of_a_seventh_is_found_within_a_day_where_it_is_with_its_size(
    wntr: Any, seed: int
) -> None:
    kahriz = make(wntr, seed, DAYS, LEAK_DAY, 0.15)
    found = _found(kahriz)
    ((moment, leak),) = _losses(found)
    assert leak.place == kahriz.place
    assert 0 < moment - kahriz.from_ms <= 24 * HOUR_MS
    last = [f for _, f in found if f.kind == leak.kind and f.what == CHANGED][-1]
    assert last.lps == pytest.approx(kahriz.lps, rel=0.3)


@pytest.mark.parametrize("seed", SEEDS[4:])
def test_a_tenth_is_found_within_a_week(wntr: Any, seed: int) -> None:
    kahriz = make(wntr, seed, DAYS, LEAK_DAY, 0.10)
    moment, leak = _losses(_found(kahriz))[0]
    assert leak.place == kahriz.place
    assert 0 < moment - kahriz.from_ms <= 7 * 24 * HOUR_MS


def test_six_months_of_sites_without_a_leak_have_at_most_one_false_alarm(wntr: Any) -> None:
    """Half a site-year; one reading in half an hour leaves the balance no median to hold to."""
    found = [_found(make(wntr, seed, DAYS, None, 0.0)) for seed in SEEDS]
    assert len([f for each in found for _, f in each if f.what == RAISED]) <= 2
    assert sum(bool(_losses(each)) for each in found) <= 1
