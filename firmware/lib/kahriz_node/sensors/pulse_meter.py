# SPDX-License-Identifier: MIT
"""A flow meter with a pulse output (reed contact, open collector or Hall sensor). Powered node.

Wiring: contact between `pin` and ground, 10 k to 3.3 V; a reed contact bounces for milliseconds and
needs 1 k and 100 nF before the pin (the counter's own filter ends at 12.8 us). A meter with its own
5 V output: over 10 k and 20 k to ground. Pulses are not counted in deep sleep: "powered": true.
Source: MicroPython library reference, machine.Counter (ESP32: PCNT unit, filter 1023 x 12.5 ns).
The litres of a pulse stand on the meter: 100 L = 100000000 ul, 450 pulses a litre = 2222 ul.
config.json: {"driver": "pulse_meter", "pin": 32, "ul_per_pulse": 100000000}
"""

from kahriz_node.sensors import SensorError
from kahriz_wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Meter, Spec

KEYS = ("flow_lps", "pulses")
NEEDS = {"pin": (0, 39), "ul_per_pulse": (100, 1000000000)}
MAY = {"unit": (0, 7)}  # PCNT unit; a second meter needs another one
PINS = ("pin",)
LIMIT_MS = 0  # nothing is waited for

SHORTEST_MS = 1000  # ours: below it one pulse more or less says nothing


class PulseMeter:
    """Takes a meter that counts since its last `take()`, which returns (pulses, ms or None)."""

    def __init__(self, meter: "Meter", ul_per_pulse: int) -> None:
        self._meter = meter
        self._ul_per_pulse = ul_per_pulse

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Mean flow over the time the pulses were counted in; the node's interval is not asked."""
        pulses, ms = self._meter.take()
        if ms is None or ms < SHORTEST_MS:  # the counter has just been started
            raise SensorError("not_ready")
        return {"flow_lps": (pulses * self._ul_per_pulse + ms // 2) // ms, "pulses": pulses}


def check(spec: "Spec", body: "Spec", what: str) -> None:
    """Refuse a node that sleeps deeply between readings."""
    if body.get("powered") is not True:
        raise WireError(what, 'pulses are lost in deep sleep: only with "powered": true')
    for other in body["channels"].values():
        meter = other is not spec and other.get("driver") == "pulse_meter"
        if meter and other.get("unit", 0) == spec.get("unit", 0):
            raise WireError(what + ".unit", "two meters need two units, 0 to 7")


def start(board: "Bench", spec: "Spec") -> PulseMeter:
    """The driver on its counter, which goes on counting between the readings."""
    return PulseMeter(board.meter(spec.get("unit", 0), spec["pin"]), spec["ul_per_pulse"])
