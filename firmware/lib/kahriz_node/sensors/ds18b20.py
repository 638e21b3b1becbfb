# SPDX-License-Identifier: MIT
"""Maxim DS18B20: temperature of air or water, one sensor on its own wire.

Wiring: red 3.3 V, black ground, yellow -> pin with 4.7 kohm to 3.3 V. Not parasite powered.
Shade an air sensor: the sun on its sleeve adds up to 10 K.
Source: Maxim 19-7487 (DS18B20): commands p. 10-12, scratchpad p. 8, conversion time p. 3.
config.json: {"driver": "ds18b20", "pin": 4}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, OneWire, Sleep, Spec

KEYS = ("c",)
NEEDS = {"pin": (0, 33)}
MAY: "dict[str, tuple[int, int]]" = {}
PINS = ("pin",)

SKIP_ROM = 0xCC  # 19-7487, p. 10
CONVERT = 0x44  # 19-7487, p. 11
READ_SCRATCHPAD = 0xBE  # 19-7487, p. 11
CONVERSION_MS = 760  # 750 ms at 12 bits (19-7487, p. 3) and a little
POWER_ON_RAW = 85 * 16  # 19-7487, p. 6: the register before the first conversion
DISCONNECTED_RAW = -127 * 16  # what several libraries and loggers store for a lost sensor


class Ds18b20:
    """Takes a one-wire bus with this sensor alone on it."""

    def __init__(self, bus: "OneWire", sleep_ms: "Sleep") -> None:
        self._bus = bus
        self._sleep_ms = sleep_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """The temperature, in hundredths of a degree."""
        self._command(CONVERT)
        self._sleep_ms(CONVERSION_MS)
        self._command(READ_SCRATCHPAD)
        scratchpad = bytearray(9)
        self._bus.readinto(scratchpad)
        return {"c": hundredths(scratchpad, self._bus.crc8(scratchpad))}

    def _command(self, command: int) -> None:
        if not self._bus.reset():
            raise SensorError("no_presence")
        self._bus.writebyte(SKIP_ROM)
        self._bus.writebyte(command)


def hundredths(scratchpad: bytearray, crc: int) -> int:
    """Temperature of a scratchpad; `crc` over all nine bytes is 0 when they are whole."""
    if all(byte == 0xFF for byte in scratchpad) or not any(scratchpad):
        raise SensorError("disconnected")
    if crc:
        raise SensorError("crc")
    raw = scratchpad[0] | scratchpad[1] << 8
    if raw & 0x8000:
        raw -= 0x10000
    if raw == POWER_ON_RAW:
        raise SensorError("power_on_value")
    if raw == DISCONNECTED_RAW:
        raise SensorError("disconnected")
    return (raw * 25 + 2) // 4


def start(board: "Bench", spec: "Spec") -> Ds18b20:
    """The driver on its wire."""
    return Ds18b20(board.onewire(spec["pin"]), board.sleep_ms)
