# SPDX-License-Identifier: MIT
"""DFRobot A02YYUW (SEN0311): waterproof ultrasonic distance, face to water.

Wiring: red 3.3-5 V through the switch on `power`, black ground, white (sensor TX) -> rx,
yellow (sensor RX) -> tx. The tx line idles low, which selects raw values every 100 ms.
Source: DFRobot SEN0311 wiki: 9600 baud 8N1, frames FF hi lo sum in mm, range 30-4500 mm.
config.json: {"driver": "a02yyuw", "uart": 1, "tx": 17, "rx": 16, "power": 25}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Pin, Sleep, Spec, Uart

KEYS = ("distance_m", "spread_m", "echoes")
SOUND_SPEED = "fixed"  # the sensor computes with one speed; the gateway undoes it
NEEDS = {"uart": (1, 2), "tx": (0, 33), "rx": (0, 39)}
MAY = {"power": (0, 33)}
PINS = ("tx", "rx", "power")

BAUD = 9600  # SEN0311 wiki
NEAREST_MM = 30  # SEN0311 wiki, blind zone
FARTHEST_MM = 4500  # SEN0311 wiki, range
FRAME_MS = 100  # SEN0311 wiki, response time of raw values
WARM_UP_MS = 300  # ours: the first frames after power-on are left out
ECHOES = 15  # ours: 3 wild ones of 15 move the result under 1 mm
FEWEST_ECHOES = 5  # ours: below this there is no saying which are wild
LIMIT_MS = 4000  # ours: a dead sensor costs no more
GATE_LEAST_MM = 3  # ours: noise of a good echo is +-3 mm


class A02yyuw:
    """Reads frames from a UART; `power` is a pin or None when the supply is always on."""

    def __init__(self, uart: "Uart", power: "Pin | None", sleep_ms: "Sleep") -> None:
        self._uart = uart
        self._power = power
        self._sleep_ms = sleep_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Distance (mean of the echoes inside the gate), their spread, and how many they were."""
        if self._power is not None:
            self._power.value(1)
        try:
            return summary(self._echoes())
        finally:
            if self._power is not None:
                self._power.value(0)

    def _echoes(self) -> "list[int]":
        self._sleep_ms(WARM_UP_MS)
        self._uart.read()  # what the power-on left in the buffer
        heard = b""
        echoes: list[int] = []
        silent = True
        broken = 0
        waited = 0
        while len(echoes) < ECHOES and waited < LIMIT_MS:
            self._sleep_ms(FRAME_MS)
            waited += FRAME_MS
            more = self._uart.read()
            if more:
                silent = False
                found, bad, heard = frames(heard + more)
                broken += bad
                echoes += [mm for mm in found if NEAREST_MM <= mm <= FARTHEST_MM]
        if len(echoes) < FEWEST_ECHOES:
            if silent:
                raise SensorError("timeout")
            raise SensorError("checksum" if broken > len(echoes) else "no_echo")
        return echoes[:ECHOES]


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


def median(values: "list[int]") -> int:
    """Twice the median, so that it is whole."""
    values = sorted(values)
    return values[(len(values) - 1) // 2] + values[len(values) // 2]


def summary(echoes: "list[int]") -> "dict[str, int]":
    """Median, gate of 3 robust standard deviations around it, mean and spread of what is inside."""
    middle2 = median(echoes)
    mad2 = median([abs(2 * mm - middle2) for mm in echoes])  # four times the MAD
    gate2 = max(2 * GATE_LEAST_MM, mad2 * 22 // 10)  # 3 x 1.4826 x MAD, doubled
    kept = [mm for mm in echoes if abs(2 * mm - middle2) <= gate2]
    if 2 * len(kept) <= len(echoes):
        raise SensorError("scatter")
    total = sum(kept)
    count = len(kept)
    squares = sum([mm * mm for mm in kept]) * count - total * total
    return {
        "distance_m": (20 * total + count) // (2 * count),
        "spread_m": int(10 * squares**0.5) // count,
        "echoes": count,
    }


def start(board: "Bench", spec: "Spec") -> A02yyuw:
    """The driver on its serial port."""
    uart = board.uart(spec["uart"], BAUD, spec["tx"], spec["rx"], True)
    power = board.output(spec["power"]) if "power" in spec else None
    return A02yyuw(uart, power, board.sleep_ms)
