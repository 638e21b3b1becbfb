# SPDX-License-Identifier: MIT
"""Meter in a full pipe that gives a pulse every so many litres: its range and its uncertainty.

The node reports the mean flow over the time it counted in. One pulse more or less is the
resolution: at 100 litres a pulse, 12 L/s in one minute are 7 pulses, 14 % each; so the uncertainty
grows as the flow falls, and no pulse is a bound and not 0.

    [point.meter]
    litres_per_pulse = 10
    low_lps = 0.5   # Q1 and Q4 of the maker
    high_lps = 30
    u_percent = 2.0 # expanded, ISO 4064 class 2
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures.base import Discharge


@dataclass(frozen=True)
class PulseMeter:
    litres_per_pulse: float
    low_lps: float
    high_lps: float
    u_percent: float = 2.0

    @classmethod
    def from_table(cls, table: Table) -> Self:
        found = cls(
            litres_per_pulse=table.number("litres_per_pulse", 0.0005, 10_000, "litres"),
            low_lps=table.number("low_lps", 0.001, 500, "L/s"),
            high_lps=table.number("high_lps", 0.01, 1000, "L/s"),
            u_percent=table.number("u_percent", 0.1, 50, "per cent, expanded"),
        )
        if found.high_lps <= found.low_lps:
            raise ConfigError(table.at("high_lps"), "more than low_lps", found.high_lps)
        return found

    def flow(self, lps: float, seconds: float) -> Discharge:
        """What a flow counted over so many seconds is worth.

        >>> PulseMeter(10.0, 0.5, 30.0).flow(12.0, 300.0).q
        1
        """
        one_lps = self.litres_per_pulse / seconds
        if lps > self.high_lps:
            why = f"{lps:.2f} L/s is above the meter's {self.high_lps:g} L/s"
            return Discharge(q=3, above_lps=self.high_lps, why=why)
        if lps < self.low_lps:
            bound = max(self.low_lps, lps + one_lps)
            why = f"{lps:.2f} L/s is below the meter's {self.low_lps:g} L/s"
            return Discharge(q=3, below_lps=bound, why=f"{why}: less than {bound:.3f} L/s")
        u_random = 2.0 * one_lps / math.sqrt(6.0)  # the difference of two counts is triangular
        u_meter = lps * self.u_percent / 100.0
        return Discharge(q=1, lps=lps, u_lps=math.hypot(u_meter, u_random), u_random_lps=u_random)
