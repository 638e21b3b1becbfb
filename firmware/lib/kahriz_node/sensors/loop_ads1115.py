# SPDX-License-Identifier: MIT
"""A 4-20 mA transmitter over a shunt, read by a TI ADS1115.

Wiring: loop supply through the switch on `power` -> transmitter -> A0 and shunt -> ground; ADS1115
on sda, scl with its own pull-ups, 3.3 V. 150 ohm make 3.15 V of 21 mA, inside supply and range.
Source: TI SBAS444 (ADS1115), register map and table 8; NAMUR NE 43 for the fault currents.
config.json: {"driver": "loop_ads1115", "i2c": 0, "sda": 21, "scl": 22, "addr": 72,
"shunt_ohm": 150, "power": 26, "warm_up_ms": 2000}
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Bench, I2c, Pin, Sleep, Spec

KEYS = ("current_ma",)
NEEDS = {
    "i2c": (0, 1),
    "sda": (0, 33),
    "scl": (0, 33),
    "addr": (72, 75),  # SBAS444, table 4
    "shunt_ohm": (10, 190),  # 190 ohm x 21 mA is just inside the range of 4.096 V
    "warm_up_ms": (0, 30000),  # the transmitter's own data sheet
}
MAY = {"power": (0, 33)}
PINS = ("sda", "scl", "power")
BUS = ("sda", "scl")  # several converters on one bus, each with its address
LIMIT_MS = 500  # ours: beyond the warm-up, a dead converter costs no more

CONVERSION = 0  # SBAS444, register map
CONFIG = 1
ONE_SHOT = 0xC383  # start, A0 against ground, +-4.096 V, single shot, 128 per second, no comparator
STARTED = 0x8000  # reads 1 when the conversion is done
LSB_UV = 125  # SBAS444, table 3, at +-4.096 V
CONVERSION_MS = 9  # 1/128 s and 10 % for its clock
TRIES = 5
SAMPLES = 8  # ours: mean over 70 ms takes the hum out
OPEN_UA = 3600  # NAMUR NE 43: below is a broken wire
OVER_UA = 21000  # NAMUR NE 43: above is a fault of the transmitter


class LoopAds1115:
    """Takes an I2C bus and the pin of the loop supply, None when that is always on."""

    def __init__(
        self,
        i2c: "I2c",
        addr: int,
        shunt_ohm: int,
        power: "Pin | None",
        warm_up_ms: int,
        sleep_ms: "Sleep",
        doze_ms: "Sleep",
    ) -> None:
        self._i2c = i2c
        self._addr = addr
        self._shunt_ohm = shunt_ohm
        self._power = power
        self._warm_up_ms = warm_up_ms
        self._sleep_ms = sleep_ms
        self._doze_ms = doze_ms

    def read(self, elapsed_ms: int) -> "dict[str, int]":
        """The loop current."""
        if self._power is not None:
            self._power.value(1)
        try:
            self._doze_ms(self._warm_up_ms)
            raw = sum([self._sample() for _ in range(SAMPLES)])
        except OSError:  # no acknowledge on the bus
            raise SensorError("bus") from None
        finally:
            if self._power is not None:
                self._power.value(0)
        current_ua = raw * LSB_UV // (SAMPLES * self._shunt_ohm)
        if current_ua < OPEN_UA:
            raise SensorError("open_loop")
        if current_ua > OVER_UA:
            raise SensorError("over_range")
        return {"current_ma": current_ua}

    def _sample(self) -> int:
        self._i2c.writeto_mem(self._addr, CONFIG, bytes((ONE_SHOT >> 8, ONE_SHOT & 0xFF)))
        for _ in range(TRIES):
            self._sleep_ms(CONVERSION_MS)
            if self._word(CONFIG) & STARTED:
                raw = self._word(CONVERSION)
                return raw - 0x10000 if raw & 0x8000 else raw
        raise SensorError("timeout")

    def _word(self, register: int) -> int:
        high, low = self._i2c.readfrom_mem(self._addr, register, 2)
        return high << 8 | low


def start(board: "Bench", spec: "Spec") -> LoopAds1115:
    """The driver on its bus."""
    return LoopAds1115(
        board.i2c(spec["i2c"], spec["sda"], spec["scl"]),
        spec["addr"],
        spec["shunt_ohm"],
        board.output(spec["power"]) if "power" in spec else None,
        spec["warm_up_ms"],
        board.sleep_ms,
        board.doze_ms,
    )
