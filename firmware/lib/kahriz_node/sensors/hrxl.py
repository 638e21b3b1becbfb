# SPDX-License-Identifier: MIT
"""MaxBotix HRXL-MaxSonar-WR (MB736x, MB738x): ultrasonic distance, temperature compensated.

Wiring: pin 6 supply 2.7-5.5 V through the switch on `power`, pin 7 ground, pin 5 (serial) -> rx,
pin 4 (ranging on when high) -> tx, which idles high. MB738x send TTL; MB736x send RS-232 polarity
at logic levels: say "inverted": 1. Face at least 0.5 m over the highest water.
Source: MaxBotix PD11500: 9600 baud 8N1, "R1234" and carriage return in mm every 133-181 ms; 5000 or
9999 without a target; 5 m models begin at 300 mm, 10 m models at 500 mm.
config.json: {"driver": "hrxl", "uart": 2, "tx": 14, "rx": 36, "power": 15, "nearest_mm": 300}
"""

from kahriz_node.sensors import _echoes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Pin, Sleep, Spec, Uart

KEYS = _echoes.KEYS
SOUND_SPEED = "compensated"  # PD11500: by its own or an external thermometer
NEEDS = {"uart": (1, 2), "tx": (0, 33), "rx": (0, 39), "nearest_mm": (300, 500)}
MAY = {"power": (0, 33), "inverted": (0, 1)}
PINS = ("tx", "rx", "power")
LIMIT_MS = 6000  # ours: a dead sensor costs no more

BAUD = 9600  # PD11500
NO_TARGET_MM = (5000, 9999)  # PD11500: what 5 m and 10 m models say without an echo
WARM_UP_MS = 500  # ours: power-up message and first reading are left out
DOZE_MS = 100  # PD11500: the fastest models range every 133 ms, a message takes 6 ms
LISTEN_MS = 5000  # ours: 15 messages take 2.5 s


class Hrxl:
    """Reads messages from a UART; `power` is a pin or None when the supply is always on."""

    def __init__(
        self,
        uart: "Uart",
        power: "Pin | None",
        nearest_mm: int,
        sleep_ms: "Sleep",
        doze_ms: "Sleep",
    ) -> None:
        self._uart = uart
        self._power = power
        self._nearest_mm = nearest_mm
        self._sleep_ms = sleep_ms
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Distance (mean of the echoes inside the gate), their spread, and how many they were."""
        return _echoes.listen(
            self._uart,
            self._power,
            self._sleep_ms,
            self._doze_ms,
            messages,
            lambda mm: mm > self._nearest_mm and mm not in NO_TARGET_MM,
            WARM_UP_MS,
            DOZE_MS,
            LISTEN_MS,
        )


def messages(data: bytes) -> "tuple[list[int], int, bytes]":
    """Distances in mm, how many lines were something else, and the last, unfinished line."""
    lines = data.split(b"\r")
    found = []
    for line in lines[:-1]:
        digits = line[-4:]
        if line[-5:-4] == b"R" and digits.isdigit():
            found.append(int(digits))
    return found, len(lines) - 1 - len(found), lines[-1]


def start(board: "Bench", spec: "Spec") -> Hrxl:
    """The driver on its serial port."""
    inverted = spec.get("inverted", 0) == 1
    uart = board.uart(spec["uart"], BAUD, spec["tx"], spec["rx"], False, inverted)
    power = board.output(spec["power"]) if "power" in spec else None
    return Hrxl(uart, power, spec["nearest_mm"], board.sleep_ms, board.doze_ms)
