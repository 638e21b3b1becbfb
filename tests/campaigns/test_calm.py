# SPDX-License-Identifier: MIT
"""A slice of the calm years: nobody is rung for nothing, and the loss at the end is told."""

from __future__ import annotations

from pathlib import Path

from .calm_year import live


def test_calm_days_ring_nobody_and_a_loss_of_fifteen_percent_is_told_in_a_day(
    tmp_path: Path,
) -> None:
    year = live(3, 7.0, tmp_path)
    assert year.faults == []
    assert year.rung == []
    assert year.leak_told_h is not None
    assert 0 < year.leak_told_h <= 24
