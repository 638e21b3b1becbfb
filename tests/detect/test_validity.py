# SPDX-License-Identifier: MIT
"""Faults of sensors: what each does alone, and what says nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

import pytest

from kahriz_detect.finding import Finding, Sample
from kahriz_detect.frame import Frame
from kahriz_detect.signals.channel import Channel
from kahriz_detect.signals.spike import Spike
from kahriz_detect.signals.stuck import Stuck
from kahriz_detect.signals.validity import Validity
from kahriz_detect.site import Signal

from .waters import water

KEYS = ("a", "b", "c")
QUANTITIES = {"a": "flow_lps", "b": "level_m", "c": "temperature_c"}
CALM = 1000


def _new() -> Validity:
    signals = [Signal(k, k, QUANTITIES[k], missing=(-9999.0,)) for k in KEYS]
    return Validity(signals, [KEYS], KEYS)


def _value(number: int, key: str) -> float:
    noise = random.Random(f"{number}{key}").gauss(0.0, 0.05)
    return round({"a": 12.0, "b": 0.4, "c": 9.0}[key] + noise, 3)


def _run(
    changes: Mapping[tuple[int, str], float | None], until: int, watch: Validity
) -> list[Finding]:
    found: list[Finding] = []
    for number in range(1, until):
        ts, seen, good = number * 600_000, {}, {}
        for key in KEYS:
            value = changes.get((number, key), _value(number, key))
            if value is not None:
                seen[key] = value
                found += watch.update(Sample(ts, key, QUANTITIES[key], value))
                if watch.good:
                    good[key] = value
        found += watch.step(Frame(number, ts, good, raw=seen))
    return found


def _raised(
    changes: Mapping[tuple[int, str], float | None], until: int = CALM + 60
) -> list[tuple[str, str]]:
    return [(f.kind, f.place) for f in _run(changes, until, _new()) if f.what == "raised"]


def test_calm_sensors_are_quiet() -> None:
    assert _raised({}, 3000) == []


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("range", {(CALM, "c"): -9999.0}),
        ("spikes", {(CALM, "a"): 25.0}),
        ("stuck", {(n, "b"): 0.41 for n in range(CALM, CALM + 30)}),
        ("dropout", {(n, "a"): None for n in range(CALM, CALM + 30)}),
    ],
)
def test_a_fault_is_told_once_at_its_sensor(
    fault: str, changes: dict[tuple[int, str], float | None]
) -> None:
    (_, place), *_ = changes
    assert _raised(changes) == [(f"sensor_fault:{fault}", place)]


def test_a_gap_of_the_whole_site_is_nobodys_fault() -> None:
    assert _raised({(n, k): None for n in range(CALM, CALM + 40) for k in KEYS}) == []


def test_a_step_that_stays_is_no_spike() -> None:
    assert _raised({(n, "a"): _value(n, "a") - 6.0 for n in range(CALM, CALM + 60)}) == []


def test_a_sensor_in_a_hand_is_told_with_the_one_beside_it() -> None:
    changes = {(CALM, "c"): -9999.0, (CALM, "b"): 3.9, (CALM + 1, "b"): 3.95}
    assert _raised(changes) == [("sensor_fault:range", "c"), ("sensor_fault:disturbed", "b")]


def test_a_fault_that_is_over_is_cleared() -> None:
    found = _run({(CALM, "c"): -9999.0}, CALM + 60, _new())
    assert [f.what for f in found] == ["raised", "cleared"]


def test_a_restart_changes_nothing() -> None:
    changes: Mapping[tuple[int, str], float | None] = {
        (n, "b"): 0.41 for n in range(CALM, CALM + 30)
    }
    whole, first, second = _new(), _new(), _new()
    unbroken = _run(changes, CALM + 60, whole)
    broken = _run(changes, CALM + 5, first)
    second.load(json.loads(json.dumps(first.dump())))
    for number in range(CALM + 5, CALM + 60):
        seen = {}
        for key in KEYS:
            value = changes.get((number, key), _value(number, key))
            assert value is not None
            seen[key] = value
            broken += second.update(Sample(number * 600_000, key, QUANTITIES[key], value))
        broken += second.step(Frame(number, number * 600_000, seen))
    assert broken == unbroken
    assert second.dump() == whole.dump()


def test_parameters_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Stuck(threshold=0.0)
    with pytest.raises(ValueError, match="window"):
        Spike(many=5, window=2)
    with pytest.raises(ValueError, match="signal"):
        Validity([])


def test_a_pump_that_rests_every_day_is_not_stuck() -> None:
    stuck = Stuck()
    for _ in range(30):
        for i in range(96):
            flow_lps = 12.3 + i % 7 / 100 if i < 40 else 0.0
            assert not stuck.step(flow_lps, flow_lps == 0.0)


def test_a_turn_that_comes_after_another_is_no_spike() -> None:
    spike = Spike(learn=50)
    for _ in range(8):
        for i in range(70):
            flow_lps = 29.0 if i == 0 else 3.0 if i == 69 else 30.0 + i % 3 / 10
            assert spike.step(flow_lps) is None
        spike.pause()


def test_a_sensor_whose_noise_is_gone_is_stuck_until_it_is_back() -> None:
    """Its echo stands still; the air's correction moves the reading on as smoothly as no water."""
    still: dict[tuple[int, str], float | None]
    still = {(n, "a"): round(12.0 + 0.01 * (n - CALM), 3) for n in range(CALM, CALM + 80)}
    found = _run(still, CALM + 160, _new())
    assert [(f.what, f.kind, f.place) for f in found] == [
        ("raised", "sensor_fault:stuck", "a"),
        ("cleared", "sensor_fault:stuck", "a"),
    ]
    assert found[0].ts <= (CALM + 30) * 600_000  # five hours
    assert found[1].ts > (CALM + 80) * 600_000


def test_what_a_visit_moved_and_the_next_moves_back_is_one_fault() -> None:
    changes: dict[tuple[int, str], float | None] = {}
    visits = (CALM, CALM + 300)
    for visit in visits:
        changes |= {(visit + i, "c"): -9999.0 for i in range(2)}
        changes |= {(visit + i, "a"): _value(visit, "a") for i in range(2)}
    for n in range(CALM + 2, CALM + 302):
        changes[n, "a"] = changes.get((n, "a"), _value(n, "a") + 0.9)
    changes |= {(visits[1] + i, "a"): _value(visits[1], "a") + 0.9 for i in range(2)}
    found = _raised(changes, CALM + 400)
    told_twice = ("sensor_fault:range", "c")
    assert found == [told_twice, ("sensor_fault:disturbed", "a"), told_twice]


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_meter_that_runs_only_in_turns_is_not_stuck(seed: int) -> None:
    """The step with which the gate opens is no noise that its readings would have to show."""
    channel = Channel("flow_lps")
    assert "stuck" not in [channel.symptom(v["fields"]) for _, v in water(600, 20, seed=seed)]
