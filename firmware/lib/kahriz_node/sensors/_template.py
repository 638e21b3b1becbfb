# SPDX-License-Identifier: MIT
"""<maker, model>: <what it measures, how>.

Wiring: <sensor wire -> node pin, supply, pull-ups>.
Source: <maker's data sheet, revision, pages>.
config.json: {"driver": "<file name>", "pin": 4}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, OneWire, Sleep, Spec

KEYS = ("c",)  # quantities of kahriz_wire.fields, in the order of read()
NEEDS = {"pin": (0, 39)}  # key in config.json: lowest, highest
MAY = {"warm_up_ms": (0, 5000)}  # keys that can be left out
PINS = ("pin",)
BUS = ("pin",)  # only where several channels may hang on the same
LIMIT_MS = 100  # a dead sensor costs no more

WARM_UP_MS = 10  # <data sheet, page>


class Template:
    """Takes its bus or pin; knows no board."""

    def __init__(self, bus: "OneWire", warm_up_ms: int, sleep_ms: "Sleep") -> None:
        self._bus = bus
        self._warm_up_ms = warm_up_ms
        self._sleep_ms = sleep_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Scaled integers by quantity (decimals: kahriz_wire.fields), or SensorError."""
        self._sleep_ms(self._warm_up_ms)
        if not self._bus.reset():
            raise SensorError("no_presence")
        raw = bytearray(2)
        self._bus.readinto(raw)
        return {"c": raw[0] | raw[1] << 8}


def start(board: "Bench", spec: "Spec") -> Template:
    """The driver on its pins."""
    warm_up_ms = spec.get("warm_up_ms", WARM_UP_MS)
    return Template(board.onewire(spec["pin"]), warm_up_ms, board.sleep_ms)
