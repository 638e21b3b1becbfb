# SPDX-License-Identifier: MIT
"""Drawn towns: the water adds up, the same number is the same town; what a known change needs."""

from __future__ import annotations

import csv
import gzip
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

np: Any = pytest.importorskip("numpy")
pytest.importorskip("wntr")

from kahriz_detect.replay.cli import load_site  # noqa: E402
from scripts import score_towns  # noqa: E402
from scripts.score_bound import least  # noqa: E402

BEGIN, DAYS = datetime(2024, 3, 4), 50


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DAYS", DAYS), ("STEPS", DAYS * 96), ("LAST_DAY", 45)):
        monkeypatch.setattr(score_towns, name, value)


def _used() -> dict[str, dict[datetime, float]]:
    rng = random.Random(1)
    return {
        name: {
            BEGIN + timedelta(hours=h): 5.0 + 2.0 * math.sin(h / 24 * 2 * math.pi) + rng.random()
            for h in range(24 * (DAYS + 4))
        }
        for name in ("a", "b", "c")
    }


def _read(folder: Path) -> dict[str, Any]:
    found: dict[str, list[float]] = {}
    with gzip.open(folder / "readings.csv.gz", "rt", newline="") as handle:
        for row in csv.DictReader(handle):
            found.setdefault(row["sensor"], []).append(float(row["value"]))
    return {key: np.array(values) for key, values in found.items()}


@pytest.mark.usefixtures("short")
def test_a_town_is_drawn_alike_twice_and_its_water_adds_up(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        folder.mkdir()
        score_towns.make(3, _used(), folder)
    one, two = _read(first), _read(again)
    assert all(np.array_equal(one[key], two[key]) for key in ("F1", "F2", "P1", "T1"))
    main, high = load_site(first / "site.json").zones
    assert (main.inflows, main.outflows, high.inflows) == (("F1", "F2"), ("P1",), ("P1",))
    used = one["F1"] + one["F2"] - one["P1"]
    assert used.min() > 0.0
    gained = score_towns.AREA_M2 * (one["T1"][-1] - one["T1"][0]) * 1000.0
    passed = one["P1"].sum() * score_towns.STEP_S
    assert (passed - gained) / (DAYS * 86_400) >= 0.8 * score_towns.HIGH_LPS


def test_what_a_known_change_needs_is_what_scatters_and_less_with_more_nights() -> None:
    """White noise of scatter 1 in both: a mean of them is told from about the quantile on."""
    days = np.random.default_rng(1).standard_normal((700, 2))
    one, three = least(days, 1), least(days, 3)
    assert 1.2 < one < 2.6
    assert 0.5 * one < three < 0.8 * one
    assert least(10.0 * days, 1) == pytest.approx(10.0 * one, rel=0.01)
