# SPDX-License-Identifier: MIT
"""How soon a person knows, on simulated time: a node's sleep, its batch and the modem included."""

from __future__ import annotations

from pathlib import Path

import pytest

from kahriz_sim.scenario import Collapse, Leak
from tests.campaigns.alarm_chain import Chain

DAY_S = 86_400.0
SENT_S, SUDDEN_S = 60.0, 900.0


@pytest.mark.parametrize("late_s", [1.0, 150.0, 299.0])
def test_a_sudden_loss_at_the_outlet_is_told_within_fifteen_minutes(
    tmp_path: Path, late_s: float
) -> None:
    at_s = 1.5 * DAY_S + late_s  # just after a reading, between two, just before one
    event = Collapse(at_h=at_s / 3600.0, to_h=1e9, kept=0.5)
    chain = Chain(tmp_path, event, at_s, seed=4)
    told = chain.live(hours_after=1.0, kinds=("source_drop", "collapse"))
    print(told)
    assert told is not None, chain.alarms()
    assert told.left_s <= SUDDEN_S
    assert told.after_arrival_s <= SENT_S
    assert told.uploads <= 30, "the mouth is in a hurry on a calm day: its battery pays"


def test_a_leak_is_told_within_a_minute_of_the_reading_that_decides(tmp_path: Path) -> None:
    at_s = 3.5 * DAY_S
    chain = Chain(tmp_path, Leak(at_h=at_s / 3600.0, to_h=1e9, reach="upper", lps=3.0), at_s, 4)
    told = chain.live(hours_after=8.0, kinds=("leak",))
    print(told)
    assert told is not None, chain.alarms()
    assert told.after_arrival_s <= SENT_S
