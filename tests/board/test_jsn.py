# SPDX-License-Identifier: MIT
"""The simulated JSN-SR04T and time_pulse_us, as the chip and the data sheet have them."""

from collections.abc import Callable
from typing import Any

import pytest

OnChip = Callable[..., Any]

PING = """
import machine, time
out = machine.Pin(23, machine.Pin.OUT, value=0)
line = machine.Pin(13, machine.Pin.IN)
def ping(wide_us=20, wait_us=0, limit_us=65000):
    out.value(1); time.sleep_us(wide_us); out.value(0); time.sleep_us(wait_us)
    return machine.time_pulse_us(line, 1, limit_us)
time.sleep_ms(200)
"""


def test_the_echo_pulse_is_as_long_as_the_flight(on_chip: OnChip) -> None:
    lines = PING + "say(ping()); time.sleep_ms(60); say(ping())"
    assert on_chip(lines, jsn={"echo_us": [4077, 5824]}) == [4077, 5824]


def test_a_trigger_under_10_us_measures_nothing(on_chip: OnChip) -> None:
    assert on_chip(PING + "say(ping(wide_us=5))", jsn={"echo_us": [4077]}) == -2


def test_without_an_echo_the_line_falls_after_60_ms(on_chip: OnChip) -> None:
    assert on_chip(PING + "say(ping())", jsn={"echo_us": [None]}) == 60_000


def test_a_limit_inside_the_pulse_is_minus_1(on_chip: OnChip) -> None:
    # MicroPython library reference, machine.time_pulse_us
    assert on_chip(PING + "say(ping(limit_us=30000))", jsn={"echo_us": [None]}) == -1


def test_a_dead_sensor_is_minus_2_after_the_limit(on_chip: OnChip) -> None:
    lines = (
        PING + "t = time.ticks_us(); r = ping(); say(r); say(time.ticks_diff(time.ticks_us(), t))"
    )
    result, took_us = on_chip(lines, jsn={"echo_us": []})
    assert result == -2
    assert took_us >= 65_000


def test_who_comes_late_sees_a_shorter_pulse(on_chip: OnChip) -> None:
    assert on_chip(PING + "say(ping(wait_us=2450))", jsn={"echo_us": [4000]}) == 2000


def test_two_triggers_within_50_ms_take_the_old_echo_for_the_new(on_chip: OnChip) -> None:
    lines = PING + "say(ping()); time.sleep_ms(10); say(ping())"
    assert on_chip(lines, jsn={"echo_us": [4000]}) == [4000, 60_000]


@pytest.mark.parametrize("call", ["(line)", "(line, 1, 2, 3)", "(99, 1)", "(line, level=1)"])
def test_time_pulse_us_takes_what_the_chip_takes(on_chip: OnChip, call: str) -> None:
    lines = f"{PING}try:\n    machine.time_pulse_us{call}\nexcept (TypeError, ValueError):\n"
    assert on_chip(lines + "    say('refused')", jsn={"echo_us": []}) == "refused"
