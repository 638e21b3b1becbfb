# SPDX-License-Identifier: MIT
"""A node-month of outages, drift and cuts, and a slice of the power-cut campaign."""

from pathlib import Path

import pytest

from kahriz_tools.image import build_image

from .judge import Verdict
from .run_life import run_life
from .weather import Rates

MONTH = Rates(outages_a_year=60, longest_days=2, restores_a_year=12, cut_every_wakes=800)
CUTS = Rates(cut_every_wakes=2, outages_a_year=0, cuts_a_year=0)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


@pytest.fixture(scope="module")
def month(image: Path) -> Verdict:
    return run_life(1, 7, 30, image, MONTH)


def test_a_month_loses_nothing_that_was_written_down(month: Verdict) -> None:
    assert month.lost == []
    assert month.stored >= month.written > 8000
    assert month.cut_short <= month.mid_write_cuts


def test_a_month_gives_no_number_twice(month: Verdict) -> None:
    assert month.twice == 0


def test_a_month_leaves_no_gap_open(month: Verdict) -> None:
    assert month.open == []


def test_a_month_dresses_no_stamp_as_better_than_it_is(month: Verdict) -> None:
    assert month.late_stamps == []
    assert {"synced", "est"} <= set(month.worst_ms)


def test_a_month_was_no_easy_one(month: Verdict) -> None:
    assert month.complaints == []
    assert month.power_ons > 5
    assert month.mid_write_cuts > 0
    assert month.restores > 0
    assert month.sessions > 400


def test_power_cuts_in_the_middle_of_writes_cost_at_most_the_reading_being_written(
    image: Path,
) -> None:
    verdict = run_life(2, 7, 5, image, CUTS)
    assert verdict.faults() == {}
    assert verdict.mid_write_cuts >= 50
    assert verdict.power_ons == verdict.mid_write_cuts + 1
    assert verdict.cut_short <= verdict.mid_write_cuts
