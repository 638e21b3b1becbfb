# SPDX-License-Identifier: MIT
"""<maker, model>: <what it measures, how>.

Wiring: <sensor wire -> node pin, supply, pull-ups>.
Source: <maker's data sheet, revision, pages>.
config.json: {"driver": "<file name>", "pin": 4}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Bench, Sleep, Spec

KEYS = ("c",)  # quantities of kahriz_wire.fields, in the order of read()
NEEDS = {"pin": (0, 39)}  # key in config.json: lowest, highest
MAY = {"power": (0, 33)}  # keys that can be left out
PINS = ("pin", "power")
LIMIT_MS = 100  # a dead sensor costs no more

WARM_UP_MS = 10  # <data sheet, page>


class Template:
    """Takes its bus or pin; knows no board."""

    def __init__(self, pin: "Any", sleep_ms: "Sleep") -> None:
        self._pin = pin
        self._sleep_ms = sleep_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Scaled integers by quantity (decimals: kahriz_wire.fields), or SensorError."""
        self._sleep_ms(WARM_UP_MS)
        if not self._pin.value():
            raise SensorError("timeout")
        return {"c": 2140}


def start(board: "Bench", spec: "Spec") -> Template:
    """The driver on its pins."""
    return Template(board.output(spec["pin"]), board.sleep_ms)
