# SPDX-License-Identifier: MIT
"""The gallery: what the aquifer gives, what a fall of stone holds back, what leaves it."""

from dataclasses import dataclass
from math import cos, exp, pi

from kahriz_sim.weather import DAY_MS, HOUR_MS, YEAR_DAYS, Weather

PONDING = (
    1.6  # ponded to 1.6 times its usual volume the gallery draws nothing more from the aquifer
)
MONTH_DAYS = 30.4


@dataclass(frozen=True)
class GalleryPlan:
    """Figures of one kahriz; the seasonal amplitude is assumed, nobody has published one."""

    base_lps: float
    season_share: float = 0.05  # wave of the year, peak after the snow melt
    season_peak_day: float = 135.0
    recession_per_year: float = 0.01  # 1 %/yr: a healthy aquifer in a slowly drying land
    silting_per_month: float = 0.001  # 1-5 % a month is a sick gallery; this one is cleaned
    storm_share: float = 0.02  # gain of discharge for 10 mm of rain
    empty_s: float = 900.0  # residence time of the water in the gallery
    since_ms: int = 1_735_689_600_000  # 2025-01-01: the base discharge was measured here


class Gallery:
    """A store between aquifer and mouth: V' = aquifer * backwater(V) - V / empty_s * open."""

    def __init__(self, plan: GalleryPlan, weather: Weather) -> None:
        self.plan = plan
        self._weather = weather
        self.volume_m3 = plan.base_lps / 1000.0 * plan.empty_s
        self._knots: dict[int, float] = {}

    def aquifer_m3s(self, t_ms: int) -> float:
        """What the ground would give to a clean and open gallery."""
        hour, rest = divmod(t_ms, HOUR_MS)
        a, b = self._knot(hour), self._knot(hour + 1)
        return a + (b - a) * (rest / HOUR_MS)

    def _knot(self, hour: int) -> float:
        known = self._knots.get(hour)
        if known is None:
            if len(self._knots) > 10_000:
                self._knots.clear()
            known = self._knots[hour] = self._undisturbed_m3s(hour * HOUR_MS)
        return known

    def _undisturbed_m3s(self, t_ms: int) -> float:
        p = self.plan
        days = t_ms / DAY_MS
        season = 1.0 + p.season_share * cos(2 * pi * (days - p.season_peak_day) / YEAR_DAYS)
        age_days = (t_ms - p.since_ms) / DAY_MS
        slow = exp(
            -p.recession_per_year * age_days / YEAR_DAYS
            - p.silting_per_month * age_days / MONTH_DAYS
        )
        storm = 1.0 + p.storm_share * self._weather.wetness(t_ms)
        return p.base_lps / 1000.0 * season * slow * storm

    def step(
        self, t_ms: int, dt_s: float, gain: float = 1.0, kept: float = 1.0, opening: float = 1.0
    ) -> tuple[float, float]:
        """(aquifer in, mouth out) in m3 over dt_s.

        gain: drought and storm on the aquifer; kept: share of the gallery still joined to the
        mouth after a collapse; opening: what a fall of stone leaves free of the cross-section.
        """
        p = self.plan
        given = self.aquifer_m3s(t_ms) * gain * kept
        usual_m3 = given * p.empty_s
        backwater = 1.0
        if usual_m3 > 0.0:
            backwater = (PONDING - self.volume_m3 / usual_m3) / (PONDING - 1.0)
            backwater = min(1.2, max(0.0, backwater))
        came_m3 = given * backwater * dt_s
        # The volume may not jump over its ponding limit within one long step.
        came_m3 = min(came_m3, max(0.0, PONDING * usual_m3 - self.volume_m3))
        self.volume_m3 += came_m3
        share = opening * dt_s / (p.empty_s + opening * dt_s)
        left_m3 = self.volume_m3 * share
        self.volume_m3 -= left_m3
        return came_m3, left_m3
