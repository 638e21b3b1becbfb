# SPDX-License-Identifier: MIT
"""JSN-SR04T (boards up to V3.0, pulse mode): waterproof ultrasonic distance. For pools, not weirs.

Wiring: 5V -> 3.3-5 V through the switch on `power`, GND ground, RX/Trig -> trigger, TX/Echo -> echo
(over 10 k and 20 k to ground when it runs at 5 V). Mode resistor R27 open. Accuracy +-1 cm.
Source: JSN-SR04T data sheet as sellers print it: trigger of 10 us or more, echo high for the time
of flight, at most 60 ms without an echo, range 200-4500 mm; 50 ms and more between two triggers.
config.json: {"driver": "jsn_sr04t", "trigger": 23, "echo": 13}
"""

from kahriz_node.sensors import _echoes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Pin, Ping, Sleep, Spec

KEYS = _echoes.KEYS
SOUND_SPEED = "raw"  # a time of flight, made metres below with one fixed speed
NEEDS = {"trigger": (0, 33), "echo": (0, 39)}
MAY = {"power": (0, 33)}
PINS = ("trigger", "echo", "power")
LIMIT_MS = 4000  # ours: a dead sensor costs no more

SPEED_MPS_10 = 3434  # tenths of m/s: 343.4 m/s, the constant which kahriz_water/sound.py undoes
NEAREST = 2000  # data sheet, blind zone; tenths of a millimetre
FARTHEST = 45000  # data sheet, range
PULSE_US = 65000  # data sheet: the echo line falls after 60 ms at the latest
PAUSE_MS = 60  # data sheet: 50 ms and more, or the last echo is taken for the next
WARM_UP_MS = 200  # ours: from supply to the first trigger
TRIES = 24  # ours: 15 echoes, and a few without


class JsnSr04t:
    """Takes a `ping`: triggers, and returns the echo's microseconds, -1 or -2 without one."""

    def __init__(self, ping: "Ping", power: "Pin | None", doze_ms: "Sleep") -> None:
        self._ping = ping
        self._power = power
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Distance (mean of the echoes inside the gate), their spread, and how many they were."""
        if self._power is not None:
            self._power.value(1)
        try:
            return self._measure()
        finally:
            if self._power is not None:
                self._power.value(0)

    def _measure(self) -> "dict[str, int]":
        self._doze_ms(WARM_UP_MS)
        echoes: list[int] = []
        silent = True
        for _ in range(TRIES):
            us = self._ping(PULSE_US)
            silent = silent and us == -2  # the line did not even rise
            distance = tenths(us)
            if NEAREST <= distance <= FARTHEST:
                echoes.append(distance)
            if len(echoes) == _echoes.ECHOES:
                break
            self._doze_ms(PAUSE_MS)
        return _echoes.judged(echoes, silent, 0)


def tenths(us: int) -> int:
    """Tenths of a millimetre from the time there and back, at 343.4 m/s."""
    return (us * (SPEED_MPS_10 // 2) + 500) // 1000


def start(board: "Bench", spec: "Spec") -> JsnSr04t:
    """The driver on its two pins."""
    power = board.output(spec["power"]) if "power" in spec else None
    return JsnSr04t(board.pinger(spec["trigger"], spec["echo"]), power, board.doze_ms)
