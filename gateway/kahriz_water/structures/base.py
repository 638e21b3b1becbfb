# SPDX-License-Identifier: MIT
"""What a structure is: a stage with its uncertainty in, a discharge or a bound out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import Table

GRAVITY_M_S2 = 9.80665  # standard gravity, CODATA
ROUNDING_M = 1e-9  # a limit of 60 mm holds for 60 mm after a subtraction too


@dataclass(frozen=True, slots=True)
class Discharge:
    """A discharge, or outside the valid range only a bound and why.

    `lps` with `u_lps` (expanded, k = 2) when q is 1; `below_lps` or `above_lps` when q is 3.
    """

    q: int
    lps: float | None = None
    u_lps: float | None = None
    below_lps: float | None = None
    above_lps: float | None = None
    why: str | None = None


class Structure:
    """Base of all structures: the valid range and the uncertainty are the same for each."""

    kind = ""
    low_m = 0.0
    high_m = 0.0
    u_coefficient = 0.0
    exponent = 0.0

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Read the structure's own keys out of its table in site.toml."""
        raise NotImplementedError

    def free_flow_m3s(self, stage_m: float) -> float:
        """The rating itself, for a stage inside the valid range."""
        raise NotImplementedError

    def u_shape(self) -> float:
        """Standard relative uncertainty of the shape (angle, width) beside the coefficient."""
        return 0.0

    def head_offset_m(self) -> float:
        """What is added to the stage before the power is taken."""
        return 0.0

    def discharge(self, stage_m: float, u_stage_m: float) -> Discharge:
        """Discharge of a stage; `u_stage_m` is the standard uncertainty of the stage.

        U = 2 * sqrt(u_C^2 + u_shape^2 + (n * u_h / (h + kh))^2), relative, after ISO 1438.
        """
        if stage_m < self.low_m - ROUNDING_M:
            bound = self.free_flow_m3s(self.low_m) * 1000.0
            why = f"stage {stage_m * 1000:.0f} mm is below the valid {self.low_m * 1000:.0f} mm"
            return Discharge(q=3, below_lps=bound, why=why)
        if stage_m > self.high_m + ROUNDING_M:
            bound = self.free_flow_m3s(self.high_m) * 1000.0
            why = f"stage {stage_m * 1000:.0f} mm is above the valid {self.high_m * 1000:.0f} mm"
            return Discharge(q=3, above_lps=bound, why=why)
        lps = self.free_flow_m3s(stage_m) * 1000.0
        u_head = self.exponent * u_stage_m / (stage_m + self.head_offset_m())
        u = 2.0 * math.sqrt(self.u_coefficient**2 + self.u_shape() ** 2 + u_head**2)
        return Discharge(q=1, lps=lps, u_lps=lps * u)
