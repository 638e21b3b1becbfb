# SPDX-License-Identifier: MIT
"""The pool (nohur): it stores the night for the day, spills when full, feeds fields and village."""

from dataclasses import dataclass
from math import sqrt

EVAPORATION_MM_DAY = 8.0  # in full sun; 4-10 mm a day
TURN_ENDS_M = 0.35  # the gate sits above the silt: lower than this nothing runs out


@dataclass(frozen=True)
class PoolPlan:
    area_m2: float
    spill_m: float
    start_m: float = 1.6
    usual_m: float = 1.5  # the level for which a turn's discharge is given
    spill_width_m: float = 1.0
    seepage_mm_day: float = 1.0  # new concrete passes at 10 mm in seven days


@dataclass(frozen=True)
class PoolStep:
    to_fields_m3: float
    to_tank_m3: float
    spilled_m3: float
    lost_m3: float


class Pool:
    def __init__(self, plan: PoolPlan) -> None:
        self.plan = plan
        self.volume_m3 = plan.start_m * plan.area_m2

    @property
    def level_m(self) -> float:
        return self.volume_m3 / self.plan.area_m2

    def step(
        self, inflow_m3: float, dt_s: float, sun: float, turn_lps: float, tank_m3s: float
    ) -> PoolStep:
        p = self.plan
        self.volume_m3 += inflow_m3
        drop_mm = (EVAPORATION_MM_DAY * sun + p.seepage_mm_day) * dt_s / 86_400.0
        lost = self._take(drop_mm / 1000.0 * p.area_m2, 0.0)
        tank = self._take(tank_m3s * dt_s, 0.0) if tank_m3s else 0.0
        fields = 0.0
        if turn_lps:
            head = sqrt(max(0.0, self.level_m) / p.usual_m)
            fields = self._take(turn_lps / 1000.0 * head * dt_s, TURN_ENDS_M * p.area_m2)
        spilled = 0.0
        over_m = self.level_m - p.spill_m
        if over_m > 0.0:
            # Broad crest, 1.7 b h^1.5, but never below the crest within one step.
            spilled = self._take(1.7 * p.spill_width_m * over_m**1.5 * dt_s, p.spill_m * p.area_m2)
        return PoolStep(fields, tank, spilled, lost)

    def _take(self, wish_m3: float, leave_m3: float) -> float:
        taken = min(wish_m3, max(0.0, self.volume_m3 - leave_m3))
        self.volume_m3 -= taken
        return taken
