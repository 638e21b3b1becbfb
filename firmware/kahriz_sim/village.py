# SPDX-License-Identifier: MIT
"""The village: a tank filled through a float valve, and taps that rest at night."""

from dataclasses import dataclass

from kahriz_sim.chance import key_of, uniform
from kahriz_sim.weather import day_of, hour_of

# Share of the mean demand for each hour of the day: two peaks, and a night that never stops.
HOURS = (
    0.20, 0.15, 0.12, 0.12, 0.20, 0.60, 1.40, 1.90, 1.80, 1.40, 1.20, 1.20,
    1.30, 1.20, 1.00, 1.00, 1.10, 1.40, 1.80, 2.00, 1.70, 1.20, 0.60, 0.41,
)  # fmt: skip
LUMP_MS = 600_000  # people come to the tap in lumps of ten minutes


@dataclass(frozen=True)
class TankPlan:
    area_m2: float
    full_m: float
    fill_lps: float
    households: int
    persons: float = 4.5
    litres_a_day: float = 75.0  # 50-100 L per person
    opens_below_m: float = 2.30
    closes_at_m: float = 2.55
    start_m: float = 2.4
    pipe_loss_lps: float = 0.05  # old joints, day and night


@dataclass(frozen=True)
class TankStep:
    used_m3: float
    lost_m3: float
    overflow_m3: float


class Tank:
    def __init__(self, plan: TankPlan, seed: int) -> None:
        self.plan = plan
        self.volume_m3 = plan.start_m * plan.area_m2
        self.filling = False
        self._key = key_of(seed, "taps")
        self._mean_m3s = plan.households * plan.persons * plan.litres_a_day / 86_400.0 / 1000.0

    @property
    def level_m(self) -> float:
        return self.volume_m3 / self.plan.area_m2

    def demand_m3s(self, t_ms: int) -> float:
        hour = hour_of(t_ms)
        i = int(hour)
        shape = HOURS[i] + (HOURS[(i + 1) % 24] - HOURS[i]) * (hour - i)
        day = 0.9 + 0.2 * uniform(self._key, day_of(t_ms))
        lump = 0.6 + 0.8 * uniform(self._key, t_ms // LUMP_MS)
        return self._mean_m3s * shape * day * lump

    def wanted_m3s(self) -> float:
        """What the float valve lets in now."""
        if self.level_m < self.plan.opens_below_m:
            self.filling = True
        elif self.level_m >= self.plan.closes_at_m:
            self.filling = False
        return self.plan.fill_lps / 1000.0 if self.filling else 0.0

    def step(self, inflow_m3: float, t_ms: int, dt_s: float) -> TankStep:
        self.volume_m3 += inflow_m3
        used = min(self.volume_m3, self.demand_m3s(t_ms) * dt_s)
        self.volume_m3 -= used
        lost = min(self.volume_m3, self.plan.pipe_loss_lps / 1000.0 * dt_s)
        self.volume_m3 -= lost
        over = max(0.0, self.volume_m3 - self.plan.full_m * self.plan.area_m2)
        self.volume_m3 -= over
        return TankStep(used, lost, over)
