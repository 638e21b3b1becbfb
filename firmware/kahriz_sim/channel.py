# SPDX-License-Identifier: MIT
"""A lined channel: water on its way, what seeps and evaporates, what a leak or a thief takes."""

from dataclasses import dataclass

CELLS = 5  # a chain of five stores spreads a wave about as 900 m of rough lining do
WETTED_AT_REST = 0.6  # share of the wetted width that stays when the flow gets small


@dataclass(frozen=True)
class ReachPlan:
    length_m: float
    travel_s: float  # at 0.5 m/s: 2 s a metre
    usual_lps: float  # the flow for which seepage is given
    seepage_lps_per_km: float = 0.5  # concrete 0.3-0.8 L/s per km
    evaporation_lps_per_km: float = 0.1  # 4-10 mm a day on a metre of width, by day


@dataclass(frozen=True)
class Passed:
    """What one step did to the water of a reach."""

    out_m3: float
    seeped_m3: float
    evaporated_m3: float
    taken_m3: tuple[float, ...]


class Reach:
    """A chain of linear stores; the share that leaves, dt/(k+dt), keeps the mean travel time."""

    def __init__(self, plan: ReachPlan) -> None:
        self.plan = plan
        self._cell_s = plan.travel_s / CELLS
        self._usual_m3 = plan.usual_lps / 1000.0 * self._cell_s
        km = plan.length_m / 1000.0 / CELLS
        self._seep_m3s = plan.seepage_lps_per_km / 1000.0 * km
        self._dry_m3s = plan.evaporation_lps_per_km / 1000.0 * km
        self.cells_m3 = [self._usual_m3] * CELLS

    @property
    def volume_m3(self) -> float:
        return sum(self.cells_m3)

    def step(
        self, inflow_m3: float, dt_s: float, sun: float = 0.0, taken_m3s: tuple[float, ...] = ()
    ) -> Passed:
        """Pass inflow_m3 on. Leaks and thieves draw from the middle cell what is there."""
        cells = self.cells_m3
        share = dt_s / (self._cell_s + dt_s)
        slope = (1.0 - WETTED_AT_REST) / self._usual_m3
        seep, dry = self._seep_m3s * dt_s, self._dry_m3s * sun * dt_s
        seeped = evaporated = 0.0
        taken: list[float] = []
        moving = inflow_m3
        for i, held in enumerate(cells):
            held += moving
            wetted = WETTED_AT_REST + slope * held
            part = min(held, seep * wetted)
            held -= part
            seeped += part
            if dry:
                part = min(held, dry)
                held -= part
                evaporated += part
            if taken_m3s and i == CELLS // 2:
                for wish_m3s in taken_m3s:
                    part = min(held, wish_m3s * dt_s)
                    held -= part
                    taken.append(part)
            moving = held * share
            cells[i] = held - moving
        return Passed(moving, seeped, evaporated, tuple(taken))
