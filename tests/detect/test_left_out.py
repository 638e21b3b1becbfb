# SPDX-License-Identifier: MIT
"""What is chosen without a site, and that a scaled setting is whole again afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kahriz_detect.numbers import glr, nights, steps
from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.reach import drift, leap
from kahriz_detect.signals.spike import Spike
from scripts.left_out_settings import SETTINGS, Setting
from scripts.score_drawn import CALM_DAYS, draw, lost
from scripts.score_left_out import choose, table
from scripts.score_sets import Played

LIMITS: dict[str, Callable[[], list[float]]] = {
    "use": lambda: [*(w.z for w in (*nights.WINDOWS, *steps.SPANS)), *glr.Z.values()],
    "sums": lambda: [Cusum(1.0, 7.0, 2).threshold],
    "instruments": lambda: [leap.SCATTERS, drift.SCATTERS, Spike().single, Spike().each],
}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_a_setting_scales_its_limits_and_gives_them_back_though_a_replay_fails(
    setting: Setting,
) -> None:
    limits = LIMITS[setting.name]
    before = limits()

    def fails() -> None:
        with setting.times(2.0):
            assert limits() == [2.0 * limit for limit in before]
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        fails()
    assert limits() == before
    assert 1.0 in setting.scales


@pytest.mark.parametrize(("most", "scale"), [(4.0, 0.8), (2.0, 1.0), (1.0, 1.25), (0.1, 1.25)])
def test_most_is_found_at_no_more_false_alarms_than_are_borne(most: float, scale: float) -> None:
    parts = {
        0.8: {"found": 9, "false_per_year": 3.0},
        1.0: {"found": 7, "false_per_year": 2.0},
        1.25: {"found": 6, "false_per_year": 0.6},
    }
    assert choose(parts, most) == scale


@dataclass
class _Judge:
    """Adds up what each site was said to be."""

    def merge(self, counted: list[dict[str, Any]]) -> dict[str, Any]:
        return {k: sum(c[k] for c in counted) for k in ("found", "false")}

    def summarise(self, whole: dict[str, Any]) -> dict[str, Any]:
        names = ("total", "chance_found", "repeats", "place_right", "median_delay_h", "p90_delay_h")
        part = dict.fromkeys(names, 0) | {"found": whole["found"]}
        return {"groups": {"loss": part | {"false_per_year": whole["false"]}}}


def _site(found: int, false: int) -> Played:
    return Played("", {"found": found, "false": false}, 0.0, 0.0)


def test_a_site_has_no_voice_in_what_is_chosen_for_it() -> None:
    """Only the last site likes the low limit, and it must do with what the others chose."""
    played = {
        0.8: [_site(1, 0), _site(1, 0), _site(9, 0)],
        1.0: [_site(2, 0), _site(2, 0), _site(0, 0)],
    }
    *_, last = table(_Judge(), "use", "loss", played, 1.0)
    assert last[2:4] == ["each left out once (0.8 by 2, 1.0 by 1)", "2/0"]


def test_drawn_leaks_come_one_after_the_other_and_grow_to_their_size() -> None:
    first = datetime(2025, 1, 1)
    used = {first + timedelta(hours=h): 5.0 for h in range(24 * 800)}
    leaks = draw(random.Random(7), used)
    for one, other in pairwise(leaks):
        assert one["end"] < other["start"]
        assert one["start"] <= one["peak"] < one["end"]
        assert one["end"] - one["start"] < timedelta(days=CALM_DAYS)
        assert lost(leaks, one["peak"]) == one["size"] >= 0.03 * 5.0
        assert lost(leaks, one["start"] - timedelta(hours=1)) == 0.0
    assert {leak["growth"] for leak in leaks} == {"abrupt", "quadratic"}
    assert leaks == draw(random.Random(7), used)
