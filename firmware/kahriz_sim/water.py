# SPDX-License-Identifier: MIT
"""The water of one kahriz from the aquifer to the fields, with its books kept to the last litre.

    aquifer -> gallery -> outlet weir -> upper -> middle weir -> lower -> inlet weir -> pool
    pool -> field channel -> fields weir;  pool -> tank -> taps;  pool -> spill

Every step moves whole volumes from one store to the next, so storage change + outflows = inflow
holds to the rounding of the machine. `came` and `went` are the books.
"""

from dataclasses import dataclass, field
from typing import Any

from kahriz_sim.channel import Reach
from kahriz_sim.forcing import Forcing
from kahriz_sim.gallery import Gallery
from kahriz_sim.plan import SitePlan
from kahriz_sim.pool import Pool
from kahriz_sim.turns import Turns
from kahriz_sim.village import Tank
from kahriz_sim.weather import Weather, day_of
from kahriz_sim.weir import VNotch

STEP_S = 60
STEP_MS = STEP_S * 1000
RAIN_HOURS = 6  # the rain of a day falls in its first hours
NOTCH = VNotch(90.0)


@dataclass
class Books:
    """Cubic metres since the beginning."""

    came: dict[str, float] = field(default_factory=lambda: {"aquifer": 0.0, "rain": 0.0})
    went: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(
            ("seeped", "evaporated", "leaked", "tapped", "spilled", "fields", "taps", "pipes"), 0.0
        )
    )


class Water:
    """Discharges in m3/s are means over the last step."""

    def __init__(self, plan: SitePlan, forcing: Forcing, weather: Weather, seed: int) -> None:
        self.plan = plan
        self.forcing = forcing
        self.weather = weather
        self.gallery = Gallery(plan.gallery, weather)
        self.upper = Reach(plan.upper)
        self.lower = Reach(plan.lower)
        self.field = Reach(plan.field)
        self.field.cells_m3 = [0.0] * len(self.field.cells_m3)
        self.pool = Pool(plan.pool)
        self.tank = Tank(plan.tank, seed) if plan.tank else None
        self.turns = Turns(plan.turns, seed, weather)
        self.books = Books()
        base = plan.gallery.base_lps / 1000.0
        self.discharge_m3s = {"outlet": base, "middle": base, "inlet": base, "fields": 0.0}
        self.loss_m3s = {"upper": 0.0, "lower": 0.0}

    @property
    def stored_m3(self) -> float:
        stored = self.gallery.volume_m3 + self.pool.volume_m3
        stored += self.upper.volume_m3 + self.lower.volume_m3 + self.field.volume_m3
        return stored + (self.tank.volume_m3 if self.tank else 0.0)

    def step(self, t_ms: int, dt_s: float = STEP_S) -> None:
        """Advance over [t, t + dt)."""
        push = self.forcing.at(t_ms)
        sun = self.weather.sun(t_ms)
        came, went = self.books.came, self.books.went

        aquifer, mouth = self.gallery.step(t_ms, dt_s, push.gain, push.kept, push.opening)
        came["aquifer"] += aquifer
        middle = self._pass("upper", self.upper, mouth, dt_s, sun, push.leaks, push.thefts)
        inlet = self._pass("lower", self.lower, middle, dt_s, sun, push.leaks, push.thefts)

        rain = self._rain_m3(t_ms, dt_s)
        came["rain"] += rain
        pool = self.pool.step(
            inlet + rain,
            dt_s,
            sun,
            self.turns.wanted_lps(t_ms),
            self.tank.wanted_m3s() if self.tank else 0.0,
        )
        went["spilled"] += pool.spilled_m3
        went["evaporated"] += pool.lost_m3
        field = self.field.step(pool.to_fields_m3, dt_s, sun)
        went["seeped"] += field.seeped_m3
        went["evaporated"] += field.evaporated_m3
        went["fields"] += field.out_m3
        if self.tank:
            tank = self.tank.step(pool.to_tank_m3, t_ms, dt_s)
            went["taps"] += tank.used_m3
            went["pipes"] += tank.lost_m3
            went["spilled"] += tank.overflow_m3

        flows = self.discharge_m3s
        flows["outlet"] = mouth / dt_s
        flows["middle"] = middle / dt_s
        flows["inlet"] = inlet / dt_s
        flows["fields"] = field.out_m3 / dt_s

    def _pass(
        self,
        name: str,
        reach: Reach,
        inflow_m3: float,
        dt_s: float,
        sun: float,
        leaks: dict[str, float],
        thefts: dict[str, float],
    ) -> float:
        wishes = (leaks.get(name, 0.0), thefts.get(name, 0.0))
        passed = reach.step(inflow_m3, dt_s, sun, wishes)
        went = self.books.went
        went["seeped"] += passed.seeped_m3
        went["evaporated"] += passed.evaporated_m3
        went["leaked"] += passed.taken_m3[0]
        went["tapped"] += passed.taken_m3[1]
        self.loss_m3s[name] = sum(passed.taken_m3) / dt_s
        return passed.out_m3

    def _rain_m3(self, t_ms: int, dt_s: float) -> float:
        from_midnight_ms = (t_ms + 14_400_000) % 86_400_000
        if from_midnight_ms >= RAIN_HOURS * 3_600_000:
            return 0.0
        mm = self.weather.rain_mm(day_of(t_ms)) * dt_s / (RAIN_HOURS * 3600.0)
        return mm / 1000.0 * self.plan.pool.area_m2

    def stage_m(self, point: str, t_ms: int) -> float:
        """Over the crest of a weir, leaf and all."""
        return NOTCH.stage_m(self.discharge_m3s[point]) + self.forcing.fouling_m(point, t_ms)

    def level_m(self, point: str) -> float:
        """Over the floor of pool, tank or chamber."""
        if point == "pool":
            return self.pool.level_m
        if point == "tank" and self.tank:
            return self.tank.level_m
        if point == "chamber" and self.plan.chamber:
            slot = 1.84 * self.plan.chamber.slot_m  # Francis
            head = (self.discharge_m3s["outlet"] / slot) ** (2.0 / 3.0)
            return float(self.plan.chamber.sill_m + head)
        raise KeyError(point)

    def save(self) -> dict[str, Any]:
        """The state, for JSON."""
        return {
            "gallery": self.gallery.volume_m3,
            "upper": self.upper.cells_m3,
            "lower": self.lower.cells_m3,
            "field": self.field.cells_m3,
            "pool": self.pool.volume_m3,
            "tank": [self.tank.volume_m3, self.tank.filling] if self.tank else None,
            "discharge": self.discharge_m3s,
            "loss": self.loss_m3s,
            "came": self.books.came,
            "went": self.books.went,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.gallery.volume_m3 = state["gallery"]
        self.upper.cells_m3 = list(state["upper"])
        self.lower.cells_m3 = list(state["lower"])
        self.field.cells_m3 = list(state["field"])
        self.pool.volume_m3 = state["pool"]
        if self.tank and state["tank"]:
            self.tank.volume_m3, self.tank.filling = state["tank"]
        self.discharge_m3s = dict(state["discharge"])
        self.loss_m3s = dict(state["loss"])
        self.books = Books(dict(state["came"]), dict(state["went"]))
