# SPDX-License-Identifier: MIT
"""Water, weather and instruments of one site under one clock; no sockets, no files."""

from pathlib import Path
from typing import Any

from kahriz_sim.forcing import Forcing
from kahriz_sim.instruments import Instruments
from kahriz_sim.noise import USUAL, Noise
from kahriz_sim.plan import NodePlan, SitePlan, load_plan
from kahriz_sim.scenario import Drift, Leak, Scenario, check, load_scenario
from kahriz_sim.water import STEP_MS, Water
from kahriz_sim.weather import Weather

HALF_STEP_MS = STEP_MS // 2  # nodes wake on the minute, side by side: no step may fall between them
SETTLE_MS = 12 * 3_600_000  # the water runs half a day before anybody looks


class Simulation:
    """`origin_ms` is the moment from which the hours of the scenario count."""

    def __init__(
        self,
        site: str | Path | SitePlan,
        scenario: str | Path | Scenario,
        seed: int,
        start_ms: int,
        origin_ms: int | None = None,
        noise: Noise = USUAL,
    ) -> None:
        self.plan = site if isinstance(site, SitePlan) else load_plan(site)
        self.scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self.seed = seed
        self.origin_ms = start_ms if origin_ms is None else origin_ms
        self.weather = Weather(seed)
        self.forcing = Forcing(self.scenario.events, self.origin_ms)
        self.water = Water(self.plan, self.forcing, self.weather, seed)
        self.instruments = Instruments(
            self.plan,
            self.water,
            self.weather,
            self.scenario.events,
            self.origin_ms,
            seed,
            noise,
        )
        self._stepped_ms = (start_ms - SETTLE_MS) // STEP_MS * STEP_MS - HALF_STEP_MS
        self.t_ms = start_ms
        self.advance(start_ms)

    def advance(self, t_ms: int) -> None:
        """To t, in whole steps that end at half minutes; the state is that of the last."""
        step = self.water.step
        while self._stepped_ms + STEP_MS <= t_ms:
            step(self._stepped_ms)
            self._stepped_ms += STEP_MS
        self.t_ms = t_ms

    def add_leak(self, reach: str, lps: float, at_ms: int) -> None:
        """A burst on top of the scenario."""
        leak = Leak(reach=reach, lps=lps, at_h=0.0)
        check(leak)
        self.forcing.add(leak, at_ms)

    def rtc_ppm(self, node_id: str) -> int:
        for event in self.scenario.events:
            if isinstance(event, Drift) and event.node == node_id:
                return event.rtc_ppm
        return self.plan.node(node_id).rtc_ppm

    def truth(self, node: NodePlan) -> dict[str, float]:
        """What is really there, for the log and for tests."""
        if node.device == "loop":
            return {"level_m": round(self.water.level_m(node.id), 6)}
        return {
            "stage_m": round(self.water.stage_m(node.id, self.t_ms), 6),
            "discharge_lps": round(self.water.discharge_m3s[node.id] * 1000.0, 6),
        }

    def save(self) -> dict[str, Any]:
        return {
            "stepped_ms": self._stepped_ms,
            "t_ms": self.t_ms,
            "water": self.water.save(),
            "stuck": self.instruments.stuck_mm,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._stepped_ms = state["stepped_ms"]
        self.t_ms = state["t_ms"]
        self.water.restore(state["water"])
        self.instruments.stuck_mm = dict(state["stuck"])
