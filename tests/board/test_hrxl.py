# SPDX-License-Identifier: MIT
"""The simulated HRXL-MaxSonar-WR says what its data sheet says."""

from collections.abc import Callable
from typing import Any

OnChip = Callable[..., Any]

LISTEN = """
import machine, time
power = machine.Pin(15, machine.Pin.OUT, value={power})
uart = machine.UART(2, baudrate=9600, tx=14, rx=36, invert={invert})
heard = b""
for _ in range(20):
    {wait}(50)
    heard += uart.read() or b""
say(list(heard))
"""


def listen(
    on_chip: OnChip, *echo_mm: int | None, power: int = 1, invert: int = 0, wait: str = ""
) -> bytes:
    lines = LISTEN.format(power=power, invert=invert, wait=wait or "time.sleep_ms")
    return bytes(on_chip(lines, hrxl={"echo_mm": list(echo_mm)}))


def test_a_message_is_r_four_digits_and_a_carriage_return_each_148_ms(on_chip: OnChip) -> None:
    heard = listen(on_chip, 1234)
    assert heard.count(b"R1234\r") == 5  # in 1 s, less 160 ms and the power-up message


def test_it_introduces_itself_first(on_chip: OnChip) -> None:
    assert listen(on_chip, 1234).startswith(b"\rHRXL-MaxSonar-WR\r")


def test_without_a_target_it_says_5000(on_chip: OnChip) -> None:
    assert b"R5000\r" in listen(on_chip, None)


def test_it_is_silent_without_its_supply(on_chip: OnChip) -> None:
    assert listen(on_chip, 1234, power=0) == b""


def test_pin_4_low_stops_the_ranging(on_chip: OnChip) -> None:
    assert b"R1234" not in listen(on_chip, 1234, invert=32)  # UART.INV_TX idles low


def test_the_wrong_polarity_hears_garbage(on_chip: OnChip) -> None:
    heard = listen(on_chip, 1234, invert=4)  # UART.INV_RX
    assert heard
    assert b"R1234" not in heard


def test_light_sleep_hears_nothing(on_chip: OnChip) -> None:
    heard = listen(on_chip, 1234, wait="machine.lightsleep")
    assert b"R1234\r" not in heard
    assert len(heard) < 6, "a byte may fall between two sleeps, a message cannot"
