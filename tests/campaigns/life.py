# SPDX-License-Identifier: MIT
"""The life of one node: the board asks, the weather answers, and everything true is written down.

The number of the wake is coded into what the sensor reads, so that a row says whose it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from kahriz_sim.lone_talk import NO_FAULT, Fault

from .intake import LoneIntake, TrueClock
from .weather import Weather

CODES = 3000  # wakes until a value comes again: far more than any gap in the numbers
NEAREST_MM = 200
LEAST_MA = 5.0
STEP_MA = 0.004  # the converter resolves 0.0008 mA
BOOT_MS = 635  # of the board (chip/clock.py): the program begins to measure so long after the wake
CUT_WRITES = (1, 1, 2, 2, 3, 4, 6, 12)  # most wakes write once or twice
COPY_AGE_MS = 2 * 86_400_000  # how old the copy is that a restored gateway begins with
DARK_MOST_MS = 4 * 3_600_000  # without power
LONG_CUTS = 0.2  # this share of the cuts may fall far into a wake that writes a program
WRITES_MOST = 600
MODES = ("clean", "torn", "garbage")


@dataclass(slots=True)
class Wake:
    """What is true of a wake that asked its sensor."""

    number: int
    measured_ms: int
    synced_ms: int | None  # when this power-on last heard the gateway's time before it
    learned: bool  # two such words, far enough apart for a drift
    on_flash: bool = False  # it went on after writing down
    cut: bool = False


class NodeLife:
    """Implements kahriz_sim.lone_world.Life, and the line to the gateway."""

    ssid = "kahriz"
    dark_most_ms = DARK_MOST_MS

    def __init__(self, weather: Weather, intake: LoneIntake, clock: TrueClock) -> None:
        self.weather = weather
        self.rtc_ppm = weather.base_ppm
        self._intake = intake
        self._clock = clock
        self.t_ms = weather.begin_ms
        self.wakes: list[Wake] = []
        self.number = 0
        self.power_ons = self.cuts = self.mid_write_cuts = self.restores = 0
        self._wake: Wake | None = None
        self._planned: tuple[int, str] | None = None
        self._syncs: list[int] = []  # times of receipts in this power-on that told the time
        self._last_calls = 3
        self._fault = NO_FAULT
        self._chance = Random(weather.seed)  # of this wake: no wake's luck hangs on another's
        self._told = 0  # answers of this session
        self.update: Callable[[], None] = _nothing  # wish for another program, configuration
        self._copied_for: int | None = None

    # -- the board's questions

    def boot(self) -> dict[str, Any]:
        return self._begin("power_on")

    def sleep(self, asked: dict[str, Any]) -> dict[str, Any]:
        weather = self.weather
        if asked.get("cut"):
            self.mid_write_cuts += 1
            if self._wake is not None:
                self._wake.cut = True
            self.t_ms += asked["ms"] + self._chance.randint(1000, self.dark_most_ms)
            return self._begin("power_on")
        due_ms = self.t_ms + round(asked["ms"] / (1 + weather.ppm(self.t_ms) * 1e-6))
        if weather.cuts and weather.cuts[0] <= due_ms:
            while weather.cuts and weather.cuts[0] <= due_ms:
                due_ms = max(due_ms, weather.cuts.pop(0))
            self.cuts += 1
            self.t_ms = due_ms + self._chance.randint(1000, self.dark_most_ms)
            return self._begin("power_on")
        self.t_ms = due_ms
        if weather.updates and weather.updates[0] <= due_ms:
            weather.updates.pop(0)
            self.update()
        if weather.restores and weather.restores[0] <= due_ms:
            weather.restores.pop(0)
            self.restores += self._intake.restore(f"c41d{self.restores + 1:04x}")
        if self.t_ms < weather.end_ms:
            return self._begin("deepsleep")
        if self._last_calls:
            self._last_calls -= 1
            return self._begin("button")
        return {"t": self.t_ms, "cause": "end"}

    def sense(self, device: str, asked: dict[str, Any]) -> dict[str, Any]:
        if device == "battery":
            if self._wake is not None:
                self._wake.on_flash = True
            return {"v": 3.31}
        if device == "air":
            return {"c": 21.4375}
        if self._wake is None:
            synced = self._syncs[-1] if self._syncs else None
            learned = len(self._syncs) > 1 and self._syncs[-1] - self._syncs[0] > 700_000
            self._wake = Wake(self.number, self.t_ms + BOOT_MS, synced, learned)
            self.wakes.append(self._wake)
        code = self.number % CODES
        if device == "ultrasonic":
            return {"echo_mm": [NEAREST_MM + code] * asked["count"]}
        return {"ma": LEAST_MA + code * STEP_MA}

    def radio(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.weather.is_away("ap", self.t_ms):
            return {"up": False, "rssi": None, "assoc_ms": 8000}
        assoc_ms = self._chance.randint(300, 1500)
        self._clock.ms = self.t_ms + asked["at"]  # the board may give up and join anew: see passed
        return {"up": True, "rssi": -67, "assoc_ms": assoc_ms}

    def passed(self, awake_ms: int) -> None:
        """So long after the beginning of this wake something is said."""
        self._clock.ms = max(self._clock.ms, self.t_ms + awake_ms)

    def _begin(self, cause: str) -> dict[str, Any]:
        self.number += 1
        self._wake = None
        self._clock.ms = self.t_ms
        self._clock.trust = not self.weather.is_away("no_clock", self.t_ms)
        if cause == "power_on":
            self.power_ons += 1
            self._syncs.clear()
        reply: dict[str, Any] = {"t": self.t_ms, "cause": cause}
        every = self.weather.rates.cut_every_wakes
        chance = self._chance = Random(f"{self.weather.seed}/{self.number}")
        if every and self.t_ms < self.weather.end_ms and chance.randrange(every) == 0:
            at = chance.choice(CUT_WRITES)
            if chance.random() < LONG_CUTS:
                at = round(WRITES_MOST ** chance.random())
            reply["cut"] = [at, chance.choice(MODES)]
        return reply

    # -- the line to the gateway

    def fault(self) -> Fault:
        """What is wrong with this session."""
        self._fault = self._draw_fault()
        self._told = 0
        return self._fault

    def _draw_fault(self) -> Fault:
        chance, weather = self._chance, self.weather
        if weather.is_away("broker", self.t_ms):
            return Fault(silent=True) if chance.random() < 0.5 else Fault(reset_after=0)
        if weather.is_away("frozen", self.t_ms):
            return Fault(lose_answers=10**6, unheard_after=0)
        often = 0.5 if weather.is_away("bad_line", self.t_ms) else weather.rates.bad_session
        if self.t_ms >= weather.end_ms or chance.random() >= often:
            return NO_FAULT
        return chance.choice(
            [
                Fault(lose_answers=1),
                Fault(lose_answers=10**6),
                Fault(lose_pubacks=True),
                Fault(reset_after=chance.randint(0, 6)),
                Fault(unheard_after=chance.randint(0, 4)),
            ]
        )

    def answers(self) -> list[tuple[str, bytes]]:
        """The receipts of the real ledger; remembers that the node may have heard the time."""
        found = self._intake.answers()
        self._told += len(found)
        heard = self._told > self._fault.lose_answers
        if (
            found
            and heard
            and self._clock.trust
            and (not self._syncs or self._syncs[-1] < self._clock.ms)
        ):
            self._syncs.append(self._clock.ms)
        restores = self.weather.restores
        if restores and self._copied_for != restores[0] and self.t_ms > restores[0] - COPY_AGE_MS:
            self._copied_for = restores[0]
            self._intake.back_up()
        return found


def _nothing() -> None:
    """Nobody wishes for anything."""
