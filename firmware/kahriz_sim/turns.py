# SPDX-License-Identifier: MIT
"""Irrigation turns: who opens the pool's gate, when, and how far."""

from dataclasses import dataclass
from datetime import UTC, datetime

from kahriz_sim.chance import key_of, uniform
from kahriz_sim.weather import DAY_MS, HOUR_MS, LOCAL_MS, Weather, day_of

SEASON_MONTHS = range(4, 11)  # April to October, roughly; winter wheat and orchards get the rest
WINTER_TURNS = 0.4  # assumed share of winter days with a turn
RAIN_STOPS_MM = 8.0  # nobody irrigates on a wet day


@dataclass(frozen=True)
class TurnPlan:
    start_h: float  # by the village clock
    hours: float
    lps: float  # at the pool's usual level


@dataclass(frozen=True)
class Turn:
    start_ms: int
    end_ms: int
    lps: float


class Turns:
    def __init__(self, plans: tuple[TurnPlan, ...], seed: int, weather: Weather) -> None:
        self.plans = plans
        self._weather = weather
        self._key = key_of(seed, "turns")
        self._days: dict[int, tuple[Turn, ...]] = {}

    def on_day(self, day: int) -> tuple[Turn, ...]:
        """Each family opens a little sooner or later, for longer or shorter, and not every day."""
        month = datetime.fromtimestamp((day * DAY_MS) / 1000, UTC).month
        wanted = 0.95 if month in SEASON_MONTHS else WINTER_TURNS
        rained = self._weather.rain_mm(day) >= RAIN_STOPS_MM
        if rained or uniform(self._key, day * 64) > wanted:
            return ()
        turns = []
        for i, plan in enumerate(self.plans):
            draw = [uniform(self._key, day * 64 + 1 + 4 * i + j) for j in range(3)]
            start = day * DAY_MS - LOCAL_MS + int((plan.start_h + draw[0] - 0.5) * HOUR_MS)
            length = int(plan.hours * (0.8 + 0.4 * draw[1]) * HOUR_MS)
            turns.append(Turn(start, start + length, plan.lps * (0.85 + 0.3 * draw[2])))
        return tuple(turns)

    def wanted_lps(self, t_ms: int) -> float:
        """The opening of the gate now, as discharge at the usual level."""
        day = day_of(t_ms)
        lps = 0.0
        for d in (day - 1, day):  # a late turn may run past midnight
            turns = self._days.get(d)
            if turns is None:
                if len(self._days) > 100:
                    self._days.clear()
                turns = self._days[d] = self.on_day(d)
            for turn in turns:
                if turn.start_ms <= t_ms < turn.end_ms:
                    lps = max(lps, turn.lps)
        return lps
