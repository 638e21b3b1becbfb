# SPDX-License-Identifier: MIT
"""Fifty random schedules of faults: nothing lost, nothing doubled, no alarm lost or made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kahriz_tools.image import build_image

from . import soak
from .faults.campaign import DRIVERS, command, one, shrunk
from .faults.judge import Verdict
from .faults.run import run
from .faults.schedule import KINDS, Happening, Schedule, draw
from .faults.table import virtual

SEEDS = range(1, 51)
pytestmark = pytest.mark.timeout(900)  # the fifty need 40 s of a core


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
    assert sum(v.texts for v in lived) > 10


def test_a_run_is_the_same_when_it_is_lived_again(image: Path) -> None:
    schedule = Schedule(
        7, 5400.0, 300, 3, 20_000, None, 1.0,
        (Happening("intake_killed", 1500.0, 30.0, 17), Happening("link_loses", 2500.0, 900.0, 5)),
    )  # fmt: skip
    first, second = run(schedule, image), run(schedule, image)
    assert (first.measured, first.stored, first.faults) == (second.measured, second.stored, [])
    assert first.measured > 15


def test_a_broken_schedule_is_shrunk_to_what_breaks_it(image: Path) -> None:
    broken = Schedule(
        7, 3600.0, 300, 3, 0, None, 1.0,
        (Happening("dns_away", 1200.0, 400.0, 1), Happening("disk_full", 1500.0, 9e6, 2)),
    )  # fmt: skip
    _, keep, verdict = shrunk(broken, image)
    assert keep == (1,)
    assert verdict.pending > 0
    assert verdict.faults


def test_a_broken_seed_is_told_as_a_command() -> None:
    assert command(draw(3), (0, 2)) == "make faults ARGS='--only 3 --keep 0,2'"


def test_the_report_counts_a_schedule_in_the_row_of_each_of_its_faults(tmp_path: Path) -> None:
    runs = [
        Verdict(1, ["wifi_away"], 10, 9, missing=1, recovery_s={"wifi_away": 60.0}),
        Verdict(2, ["wifi_away", "disk_full", "disk_full"], 20, 20, alarms_right=1),
    ]
    kept = tmp_path / "runs.jsonl"
    kept.write_text("".join(json.dumps(v.as_dict()) + "\n" for v in runs))
    rows = virtual(kept, "0000000").splitlines()
    assert "| wifi away | 2 | 30 | 29 | 0 | 1 | 0 | 0 | 0 | 1 / 0 / 0 | 0 | 60 s; 60 s |" in rows
    assert "| disk full | 1 | 20 | 20 | 0 | 0 | 0 | 0 | 0 | 1 / 0 / 0 | 0 |  |" in rows
    assert "| **all, each once** | 2 | 30 | 29 | 0 | 1 | 0 | 0 | 0 | 1 / 0 / 0 | 0 |  |" in rows


def test_a_soak_tells_what_grew_since_the_warm_weeks() -> None:
    week = {"week": 1, "village_mb": 80.0, "village_handles": 29, "village_bytes_a_row": 200.0}
    calm = [week] * 13
    assert soak.judge(calm) == []
    for name, last in (
        ("village_mb", 101.0),
        ("village_handles", 32),
        ("village_bytes_a_row", 240),
    ):
        (words,) = soak.judge([*calm, {**week, name: last}])
        assert words.startswith(f"{name}: {last}")
