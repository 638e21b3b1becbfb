# SPDX-License-Identifier: MIT
"""The same seed gives the same water and the same noise, whoever asks and in whatever order."""

import itertools
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_sim.chance import Ar1, key_of
from kahriz_sim.series import rows
from kahriz_sim.simulation import Simulation

SITE = "banovshalar-gozlu"
START_MS = 1_746_057_600_000


def test_the_same_seed_repeats_itself_and_another_does_not() -> None:
    def first_day(seed: int) -> list[Any]:
        return [row.values for row in rows(SITE, "calm", seed, 1.0)]

    assert first_day(4) == first_day(4)
    assert first_day(4) != first_day(5)


def asked(order: list[str], t_ms: int) -> dict[str, Any]:
    sim = Simulation(SITE, "storm", 9, START_MS)
    sim.advance(t_ms)
    answers: dict[str, Any] = {}
    for name in order:
        node = sim.plan.node(name)
        if node.device == "ultrasonic":
            answers[name] = (
                sim.instruments.echoes_mm(node, t_ms, 15),
                sim.instruments.air_c(node, t_ms),
            )
        else:
            answers[name] = sim.instruments.loop_ma(node, t_ms)
        answers[name + " radio"] = sim.instruments.radio(node, t_ms)
    return answers


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**16))
def test_the_order_of_asking_changes_nothing(shuffle: int) -> None:
    order = ["outlet", "middle", "inlet", "fields", "pool", "tank"]
    mixed = order.copy()
    Random(shuffle).shuffle(mixed)
    assert asked(order, START_MS + 7_500_000) == asked(mixed, START_MS + 7_500_000)


def test_a_wake_a_few_milliseconds_later_hears_the_same() -> None:
    assert asked(["outlet"], START_MS + 7_500_000) == asked(["outlet"], START_MS + 7_500_040)


def test_one_jump_and_many_steps_lead_to_the_same_water() -> None:
    jump, walk = (Simulation(SITE, "calm", 2, START_MS) for _ in range(2))
    jump.advance(START_MS + 86_400_000)
    for k in range(1, 289):
        walk.advance(START_MS + k * 300_000)
    assert jump.water.save() == walk.water.save()


@given(st.integers(0, 2**32), st.lists(st.integers(0, 10**6), min_size=2, max_size=20))
def test_autocorrelated_noise_does_not_remember_who_asked(seed: int, moments: list[int]) -> None:
    key = key_of(seed, "stage")
    once = Ar1(key, 1.0, 0.7, 300)
    forward = [once.at(t) for t in moments]
    again = Ar1(key, 1.0, 0.7, 300)
    assert forward == [again.at(t) for t in reversed(moments)][::-1]


def test_autocorrelated_noise_has_the_spread_and_the_memory_of_the_table() -> None:
    noise = Ar1(key_of(1, "stage"), 2.0, 0.7, 300)
    x = [noise.at(300 * k) for k in range(20_000)]
    spread = sum(v * v for v in x) / len(x)
    memory = sum(a * b for a, b in itertools.pairwise(x)) / len(x) / spread
    assert abs(spread**0.5 - 2.0) < 0.1
    assert abs(memory - 0.7) < 0.03
