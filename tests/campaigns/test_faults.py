# SPDX-License-Identifier: MIT
"""Fifty random schedules of faults: nothing lost, nothing doubled, no alarm lost or made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from kahriz_tools.image import build_image

from .faults.__main__ import DRIVERS, command, one
from .faults.judge import Verdict
from .faults.run import run
from .faults.schedule import KINDS, Happening, Schedule, draw

SEEDS = range(1, 51)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder, DRIVERS)
    return folder


@pytest.fixture(scope="module")
def lived(image: Path) -> list[Verdict]:
    return [one(seed, image) for seed in SEEDS]


def test_fifty_schedules_break_no_promise(lived: list[Verdict]) -> None:
    assert {v.seed: v.faults for v in lived if v.faults} == {}


def test_the_fifty_were_no_easy_ones(lived: list[Verdict]) -> None:
    assert {kind for v in lived for kind in v.kinds} >= set(KINDS)
    assert sum(v.redelivered for v in lived) > 5
    assert sum(v.texts for v in lived) > 10


def test_a_run_is_the_same_when_it_is_lived_again(image: Path) -> None:
    schedule = Schedule(
        7, 5400.0, 300, 3, 20_000, None, 1.0,
        (Happening("intake_killed", 1500.0, 30.0, 17), Happening("link_loses", 2500.0, 900.0, 5)),
    )  # fmt: skip
    first, second = run(schedule, image), run(schedule, image)
    assert (first.measured, first.stored, first.faults) == (second.measured, second.stored, [])
    assert first.measured > 15


def test_a_broken_seed_is_told_as_a_command() -> None:
    assert command(draw(3), (0, 2)) == "make faults ARGS='--only 3 --keep 0,2'"
