# SPDX-License-Identifier: MIT
"""Maxim DS18B20: temperature of air or water, one or several sensors on a wire.

Wiring: red 3.3 V, black ground, yellow -> pin with 4.7 kohm to 3.3 V. Not parasite powered.
Shade an air sensor: the sun on its sleeve adds up to 10 K. Two on one wire, say air and water, are
two channels on the same pin, each with its "rom"; `kahriz_node.sensors.ds18b20.roms(bus)` tells it
with one of them plugged in at a time.
Source: Maxim 19-7487 (DS18B20): commands p. 10-12, scratchpad p. 8, conversion time p. 3.
config.json: {"driver": "ds18b20", "pin": 4}
"""

from kahriz_node.sensors import SensorError
from kahriz_wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Bench, OneWire, Sleep, Spec

KEYS = ("c",)
NEEDS = {"pin": (0, 33)}
MAY: "dict[str, tuple[int, int]]" = {}
TEXTS = ("rom",)
PINS = ("pin",)
BUS = ("pin",)
LIMIT_MS = 900  # ours: a conversion and the talk on the wire

MATCH_ROM = 0x55  # 19-7487, p. 10
SKIP_ROM = 0xCC
CONVERT = 0x44  # 19-7487, p. 11
READ_SCRATCHPAD = 0xBE
FAMILY = "28"  # 19-7487, p. 7: first byte of every DS18B20
CONVERSION_MS = 760  # 750 ms at 12 bits (19-7487, p. 3) and a little
POWER_ON_RAW = 85 * 16  # 19-7487, p. 6: the register before the first conversion
DISCONNECTED_RAW = -127 * 16  # what several libraries and loggers store for a lost sensor


class Ds18b20:
    """Takes a one-wire bus; `rom` is 8 bytes, or empty for a sensor alone on it."""

    def __init__(self, bus: "OneWire", rom: bytes, doze_ms: "Sleep") -> None:
        self._bus = bus
        self._rom = rom
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """The temperature, in hundredths of a degree."""
        self._command(CONVERT)
        self._doze_ms(CONVERSION_MS)
        self._command(READ_SCRATCHPAD)
        scratchpad = bytearray(9)
        self._bus.readinto(scratchpad)
        return {"c": hundredths(scratchpad, self._bus.crc8(scratchpad))}

    def _command(self, command: int) -> None:
        if not self._bus.reset():
            raise SensorError("no_presence")
        self._bus.writebyte(MATCH_ROM if self._rom else SKIP_ROM)
        for byte in self._rom:
            self._bus.writebyte(byte)
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


def roms(bus: "Any") -> "list[str]":
    """The sensors on a wire, as config.json wants them."""
    return ["".join(["%02x" % byte for byte in rom]) for rom in bus.scan()]  # noqa: UP031


def check(spec: "Spec", body: "Spec", what: str) -> None:
    """A rom is 16 hexadecimal digits; sensors that share a wire need one each."""
    rom = spec.get("rom")
    if rom is None:
        on_wire = [one for one in body["channels"].values() if one.get("pin") == spec["pin"]]
        if len(on_wire) > 1:
            raise WireError(what + ".rom", "is missing: there are several sensors on this wire")
    elif not (isinstance(rom, str) and len(rom) == 16 and rom.startswith(FAMILY)) or rom.strip(
        "0123456789abcdef"
    ):
        raise WireError(what + ".rom", "expected 16 hexadecimal digits (small) that begin with 28")


def start(board: "Bench", spec: "Spec") -> Ds18b20:
    """The driver on its wire."""
    rom: bytes = bytes.fromhex(spec.get("rom", ""))
    return Ds18b20(board.onewire(spec["pin"]), rom, board.doze_ms)
