# SPDX-License-Identifier: MIT
"""A voltage behind a divider on the chip's own converter: battery, solar panel.

Wiring: voltage -> top_kohm -> pin -> bottom_kohm -> ground, 100 nF from pin to ground. At most
2.45 V at the pin: a 6 V panel 300 k over 150 k, a battery up to 4.2 V 1000 k over 1000 k.
Source: Espressif ESP32 data sheet, ADC: 0.15-2.45 V at 11 dB, calibrated; ADC1 only (pins 32-39),
because ADC2 belongs to the radio.
config.json: {"driver": "volts", "pin": 35, "top_kohm": 300, "bottom_kohm": 150}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Adc, Bench, Spec

KEYS = ("v",)
NEEDS = {"pin": (32, 39), "top_kohm": (0, 10000), "bottom_kohm": (1, 10000)}
MAY = {"least_mv": (0, 30000)}  # below it the wire is off: a battery that feeds the node is never 0
PINS = ("pin",)
LIMIT_MS = 100  # ours: 16 conversions of 30 us

SAMPLES = 16  # ours: the converter's noise is some millivolts
MOST_UV = 2450000  # ESP32 data sheet, range at 11 dB; the converter says no more above it


class Volts:
    """Takes a converter with `read_uv()`."""

    def __init__(self, adc: "Adc", top_kohm: int, bottom_kohm: int, least_mv: int) -> None:
        self._adc = adc
        self._top_kohm = top_kohm
        self._bottom_kohm = bottom_kohm
        self._least_mv = least_mv

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Millivolts before the divider."""
        uv = sum([self._adc.read_uv() for _ in range(SAMPLES)]) // SAMPLES
        if uv >= MOST_UV:
            raise SensorError("over_range")
        mv = uv * (self._top_kohm + self._bottom_kohm) // (self._bottom_kohm * 1000)
        if mv < self._least_mv:
            raise SensorError("disconnected")
        return {"v": mv}


def start(board: "Bench", spec: "Spec") -> Volts:
    """The driver on its pin."""
    adc = board.adc(spec["pin"])
    return Volts(adc, spec["top_kohm"], spec["bottom_kohm"], spec.get("least_mv", 0))
