# SPDX-License-Identifier: MIT
"""DFRobot A02YYUW (SEN0311): waterproof ultrasonic distance, face to water.

Wiring: red 3.3-5 V through the switch on `power`, black ground, white (sensor TX) -> rx,
yellow (sensor RX) -> tx. The tx line idles low, which selects raw values every 100 ms.
Source: DFRobot SEN0311 wiki: 9600 baud 8N1, frames FF hi lo sum in mm, range 30-4500 mm.
config.json: {"driver": "a02yyuw", "uart": 1, "tx": 17, "rx": 16, "power": 25}
"""

from kahriz_node.sensors import _echoes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Pin, Sleep, Spec, Uart

KEYS = _echoes.KEYS
SOUND_SPEED = "fixed"  # the sensor computes with one speed; the gateway undoes it
NEEDS = {"uart": (1, 2), "tx": (0, 33), "rx": (0, 39)}
MAY = {"power": (0, 33)}
PINS = ("tx", "rx", "power")
LIMIT_MS = 5000  # ours: a dead sensor costs no more

BAUD = 9600  # SEN0311 wiki
NEAREST_MM = 30  # SEN0311 wiki, blind zone
FARTHEST_MM = 4500  # SEN0311 wiki, range
WARM_UP_MS = 300  # ours: the first frames after power-on are left out
DOZE_MS = 70  # SEN0311 wiki: a frame each 100 ms; the first nap ends well before the next one
LISTEN_MS = 4000  # ours: 15 frames take 1.5 s


class A02yyuw:
    """Reads frames from a UART; `power` is a pin or None when the supply is always on."""

    def __init__(
        self, uart: "Uart", power: "Pin | None", sleep_ms: "Sleep", doze_ms: "Sleep"
    ) -> None:
        self._uart = uart
        self._power = power
        self._sleep_ms = sleep_ms
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Distance (mean of the echoes inside the gate), their spread, and how many they were."""
        return _echoes.listen(
            self._uart,
            self._power,
            self._sleep_ms,
            self._doze_ms,
            frames,
            lambda mm: NEAREST_MM <= mm <= FARTHEST_MM,
            WARM_UP_MS,
            DOZE_MS,
            LISTEN_MS,
        )


def frames(data: bytes) -> "tuple[list[int], int, bytes]":
    """Distances in mm, how many frames were broken, and the bytes of the last, unfinished frame."""
    found = []
    broken = 0
    at = 0
    while len(data) - at >= 4:
        if data[at] == 0xFF and (0xFF + data[at + 1] + data[at + 2]) & 0xFF == data[at + 3]:
            found.append(data[at + 1] << 8 | data[at + 2])
            at += 4
        else:
            broken += data[at] == 0xFF
            at += 1
    return found, broken, data[at:]


def start(board: "Bench", spec: "Spec") -> A02yyuw:
    """The driver on its serial port."""
    uart = board.uart(spec["uart"], BAUD, spec["tx"], spec["rx"], True)
    power = board.output(spec["power"]) if "power" in spec else None
    return A02yyuw(uart, power, board.sleep_ms, board.doze_ms)
