# SPDX-License-Identifier: MIT
"""Conductivity and temperature of water from a probe with RS-485 Modbus RTU.

Wiring: probe A, B on a 3.3 V transceiver (MAX3485): RO -> rx, DI -> tx, DE and /RE together -> de
with 10 k to ground; 120 ohm at both ends; the probe's 5-24 V through the switch on `power`.
Source: Modbus over serial line V1.02 (RTU framing 2.5.1, CRC 6.2.2), Modbus application protocol
V1.1b3 (function 3, exceptions). Registers differ by maker; the defaults are those of Seeed
101990667 (temperature 0000h in 0.01 degC, signed; conductivity 0002h in 1 uS/cm).
config.json: {"driver": "ec_modbus", "uart": 2, "tx": 27, "rx": 39, "de": 5, "power": 2,
"address": 1, "warm_up_ms": 1000}
"""

from kahriz_node.sensors import SensorError, _modbus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, Pin, Sleep, Spec

KEYS = ("us_cm", "c")
NEEDS = {
    "uart": (1, 2),
    "tx": (0, 33),
    "rx": (0, 39),
    "de": (0, 33),
    "address": (1, 247),  # Modbus over serial line, 2.2
    "warm_up_ms": (0, 30000),  # the probe's own data sheet
}
MAY = {
    "power": (0, 33),
    "baud": (1200, 115200),
    "ec_register": (0, 65535),
    "ec_decimals": (0, 1),
    "c_register": (0, 65535),
    "c_decimals": (0, 2),
}
PINS = ("tx", "rx", "de", "power")
BUS = ("tx", "rx", "de")  # several probes on one line, each with its address
LIMIT_MS = 2000  # ours: beyond the warm-up, a dead probe costs no more

BAUD = 9600  # Seeed 101990667, default
EC_REGISTER = 2  # Seeed 101990667, register table
C_REGISTER = 0
MOST_US_CM = 20000  # Seeed 101990667, range
LEAST_C = -4000  # Seeed 101990667, range, hundredths
MOST_C = 8000


class EcModbus:
    """Takes a Modbus line; `power` is a pin or None when the probe is always supplied."""

    def __init__(
        self, line: "_modbus.Line", spec: "Spec", power: "Pin | None", doze_ms: "Sleep"
    ) -> None:
        self._line = line
        self._spec = spec
        self._power = power
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """Conductivity in tenths of uS/cm and temperature in hundredths of a degree."""
        if self._power is not None:
            self._power.value(1)
        try:
            self._doze_ms(self._spec["warm_up_ms"])
            ec = self._register("ec_register", EC_REGISTER)
            c = self._register("c_register", C_REGISTER)
        finally:
            if self._power is not None:
                self._power.value(0)
        ec *= 10 ** (1 - self._spec.get("ec_decimals", 0))
        c = (c - 0x10000 if c & 0x8000 else c) * 10 ** (2 - self._spec.get("c_decimals", 2))
        if ec > 10 * MOST_US_CM or not LEAST_C <= c <= MOST_C:
            raise SensorError("over_range")
        return {"us_cm": ec, "c": c}

    def _register(self, key: str, default: int) -> int:
        return self._line.register(self._spec["address"], self._spec.get(key, default))


def start(board: "Bench", spec: "Spec") -> EcModbus:
    """The driver on its serial port."""
    uart = board.uart(spec["uart"], spec.get("baud", BAUD), spec["tx"], spec["rx"], False)
    line = _modbus.Line(uart, board.output(spec["de"]), board.sleep_ms)
    power = board.output(spec["power"]) if "power" in spec else None
    return EcModbus(line, spec, power, board.doze_ms)
