# SPDX-License-Identifier: MIT
"""machine.Counter with the signature and the sleeps of the ESP32 port."""

from collections.abc import Callable
from typing import Any

import pytest

OnChip = Callable[..., Any]

COUNT = """
import machine, time
pin = machine.Pin(32, machine.Pin.IN)
counter = machine.Counter(0, pin, filter_ns=12787)
"""
FLOW = {"hz": 50}


def test_pulses_are_counted_awake_and_set_back_when_read(on_chip: OnChip) -> None:
    lines = COUNT + "time.sleep_ms(10000); say(counter.value(0)); time.sleep_ms(2000)\n"
    ten, two = on_chip(lines + "say(counter.value())", flow=FLOW)
    assert 500 <= ten <= 505  # the host's own time passes too
    assert 100 <= two <= 105


def test_the_counter_stands_still_in_light_sleep(on_chip: OnChip) -> None:
    assert on_chip(COUNT + "machine.lightsleep(10000); say(counter.value())", flow=FLOW) <= 5


def test_the_counter_of_a_unit_is_one_object_that_counts_on(on_chip: OnChip) -> None:
    lines = COUNT + "time.sleep_ms(1000); again = machine.Counter(0)\n"
    same, count, anew = on_chip(
        lines + "say(again is counter); say(again.value()); counter.init(pin); say(again.value())",
        flow=FLOW,
    )
    assert same
    assert 50 <= count <= 55
    assert anew <= 5


def test_deep_sleep_loses_the_counter(bench: Any) -> None:
    lines = """
import machine, time
try:
    say(machine.Counter(0).value())
except TypeError:
    say("no counter")
counter = machine.Counter(0, machine.Pin(32))
time.sleep_ms(1000)
"""
    assert bench.run(lines, bench.world(causes=["deepsleep"], flow=FLOW)) == ["no counter"] * 2


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("Counter()", "TypeError"),
        ("Counter(0)", "TypeError"),  # a fresh unit needs its pin
        ("Counter(8, pin)", "ValueError"),  # eight units
        ("Counter(1, 99)", "ValueError"),
        ("Counter(1, pin, filter=100)", "TypeError"),
        ("Counter(1, pin, scale=2)", "TypeError"),
    ],
)
def test_a_wrong_call_is_refused_as_on_the_chip(on_chip: OnChip, call: str, error: str) -> None:
    lines = "import machine\npin = machine.Pin(32)\ntry:\n    machine." + call
    lines += "\nexcept Exception as error:\n    say(type(error).__name__)\n"
    assert on_chip(lines, flow=FLOW) == error


def test_a_counter_that_was_given_back_says_so(on_chip: OnChip) -> None:
    lines = COUNT + "counter.deinit()\ntry:\n    counter.value()\nexcept RuntimeError as error:\n"
    assert on_chip(lines + "    say(str(error))", flow=FLOW) == "not initialised"
