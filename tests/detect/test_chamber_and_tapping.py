# SPDX-License-Identifier: MIT
"""A chamber tells collapse, blockage and closure apart; what stops by itself was taken."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from kahriz_detect.finding import Finding
from kahriz_detect.frame import Frame
from kahriz_detect.reach.balance import Balance
from kahriz_detect.site import Reach
from kahriz_detect.source.drop import SourceDrop

DAY = 144  # frames of ten minutes
HAPPENS = 6 * DAY


def _source(happens: Callable[[int], tuple[float, float]], days: int = 8) -> list[Finding]:
    """`happens` gives share of the flow and of the opening, from the sixth day on."""
    rng = random.Random(1)
    source, found = SourceDrop("gallery", "outlet", "middle", "upper", "chamber"), []
    for i in range(days * DAY):
        share, opening = happens(i - HAPPENS) if i >= HAPPENS else (1.0, 1.0)
        flow = 12.0 * share
        level = min(0.65, 0.3 * (share / opening) ** 2)
        values = {"outlet": flow, "middle": flow, "chamber": level}
        noisy = {k: v * rng.gauss(1.0, 0.012) for k, v in values.items()}
        found += source.step(Frame(i, i * 600_000, noisy))
    return found


def _raised(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.kind, f.place) for f in found if f.what == "raised"]


def test_outlet_and_chamber_fall_together_in_a_collapse() -> None:
    found = _source(lambda i: (0.6, 1.0))
    assert _raised(found) == [("collapse", "gallery")]
    assert found[0].ts <= (HAPPENS + 12) * 600_000


def test_a_chamber_that_rises_for_its_flow_is_a_blockage() -> None:
    assert _raised(_source(lambda i: (0.9, 0.7))) == [("blockage", "upper")]
    creeping = _source(lambda i: (1.0, 1.0 - min(0.3, i / DAY * 0.1)))
    assert _raised(creeping) == [("blockage", "upper")]


def test_a_gate_shut_for_some_hours_is_planned_use() -> None:
    assert _raised(_source(lambda i: (0.02, 0.005) if i < 30 else (1.0, 1.0))) == []
    assert _raised(_source(lambda i: (0.02, 0.005))) == [("blockage", "upper")]


def test_what_comes_each_night_and_stops_is_tapping_once() -> None:
    rng = random.Random(2)
    balance = Balance([Reach("upper", "outlet", "middle", travel_s=0.0)])
    found: list[Finding] = []
    for i in range(12 * DAY):
        taken = 2.0 if i >= HAPPENS and i % DAY < 24 else 0.0
        values = {"outlet": 12.0 * rng.gauss(1, 0.012), "middle": 12.0 * rng.gauss(1, 0.012)}
        values["middle"] -= taken
        if i % 100 == 0:  # a restart
            kept = json.loads(json.dumps(balance.dump()))
            balance = Balance([Reach("upper", "outlet", "middle", travel_s=0.0)])
            balance.load(kept)
        found += balance.step(Frame(i, i * 600_000, values))
    assert _raised(found) == [("leak", "upper"), ("tapping", "upper")]
    assert found[0].ts <= (HAPPENS + 18) * 600_000


def test_a_second_leak_on_top_of_the_first_is_told() -> None:
    rng = random.Random(3)
    balance = Balance([Reach("upper", "outlet", "middle", travel_s=0.0)])
    found: list[Finding] = []
    for i in range(12 * DAY):
        lost = 1.0 * (i >= HAPPENS) + 1.0 * (i >= 9 * DAY)
        values = {"outlet": 12.0 * rng.gauss(1, 0.012), "middle": 12.0 * rng.gauss(1, 0.012)}
        values["middle"] -= lost
        found += balance.step(Frame(i, i * 600_000, values))
    assert _raised(found) == [("leak", "upper"), ("leak:second", "upper")]
