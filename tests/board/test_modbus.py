# SPDX-License-Identifier: MIT
"""The simulated RS-485 probe: CRC, silence, exceptions, and a DE pin that cuts what it should."""

from collections.abc import Callable
from typing import Any

import pytest

OnChip = Callable[..., Any]

ASK = """
import machine, time
power = machine.Pin(2, machine.Pin.OUT, value=1)
de = machine.Pin(5, machine.Pin.OUT, value=0)
uart = machine.UART(2, baudrate=9600, tx=27, rx=39, timeout=0)
time.sleep_ms({warm_ms})
def ask(question, flush=True, lower=True):
    uart.read()
    de.value(1)
    uart.write(bytes(question))
    if flush:
        uart.flush()
    if lower:
        de.value(0)
    time.sleep_ms(100)
    return list(uart.read() or b"")
"""
# Modbus over serial line, 6.2.2: the CRC of 01 03 00 02 00 01 is 25 CA
QUESTION = [0x01, 0x03, 0x00, 0x02, 0x00, 0x01, 0x25, 0xCA]
PROBE = {"us_cm": 812, "c": 17.5}


def ask(on_chip: OnChip, call: str, warm_ms: int = 1000, **truth: Any) -> Any:
    return on_chip(ASK.format(warm_ms=warm_ms) + f"say(ask({call}))", probe=PROBE | truth)


def test_a_register_comes_with_address_function_count_and_crc(on_chip: OnChip) -> None:
    answer = ask(on_chip, str(QUESTION))
    assert answer[:5] == [1, 3, 2, 812 >> 8, 812 & 0xFF]
    assert len(answer) == 7


def test_a_wrong_crc_or_another_address_is_not_answered(on_chip: OnChip) -> None:
    assert ask(on_chip, str([*QUESTION[:-1], 0])) == []
    assert ask(on_chip, str([0x02, 0x03, 0x00, 0x02, 0x00, 0x01, 0x25, 0xF9])) == []


def test_a_register_that_is_not_there_is_exception_2(on_chip: OnChip) -> None:
    question = [0x01, 0x03, 0x01, 0x00, 0x00, 0x01, 0x85, 0xF6]
    assert ask(on_chip, str(question))[:3] == [1, 0x83, 2]


def test_another_function_is_exception_1(on_chip: OnChip) -> None:
    question = [0x01, 0x04, 0x00, 0x02, 0x00, 0x01, 0x90, 0x0A]
    assert ask(on_chip, str(question))[:3] == [1, 0x84, 1]


@pytest.mark.parametrize("how", ["flush=False", "lower=False"])
def test_de_that_falls_too_early_or_too_late_hears_nothing(on_chip: OnChip, how: str) -> None:
    # ports/esp32: write() only fills a buffer; the last stop bit has left after flush()
    assert ask(on_chip, f"{QUESTION}, {how}") == []


def test_a_probe_that_is_still_starting_is_silent(on_chip: OnChip) -> None:
    assert ask(on_chip, str(QUESTION), warm_ms=100) == []


def test_write_returns_at_once_and_flush_when_the_bits_have_left(on_chip: OnChip) -> None:
    lines = ASK.format(warm_ms=1000) + (
        "uart.write(bytes(24)); say(uart.txdone()); t = time.ticks_us(); uart.flush()\n"
        "say(time.ticks_diff(time.ticks_us(), t)); say(uart.txdone())"
    )
    before, took_us, after = on_chip(lines, probe=PROBE)
    assert (before, after) == (False, True)
    assert took_us > 10_000  # 240 bits at 9600 baud are 25 ms, less what the host took
