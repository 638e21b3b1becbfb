# SPDX-License-Identifier: MIT
"""What a structure is: a stage with its uncertainty in, a discharge or a bound out."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, NamedTuple, Self

from kahriz_water.strict import Table

GRAVITY_M_S2 = 9.80665  # standard gravity, CODATA
ROUNDING_M = 1e-9  # a limit of 60 mm holds for 60 mm after a subtraction too


class Discharge(NamedTuple):
    """A discharge, or outside the valid range only a bound and why.

    `lps` with `u_lps` (expanded, k = 2) when q is 1; `below_lps` or `above_lps` when q is 3.
    `u_random_lps` is the part of `u_lps` that changes from reading to reading: only this part
    becomes smaller in a sum.
    """

    q: int
    lps: float | None = None
    u_lps: float | None = None
    u_random_lps: float = 0.0
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

    def as_table(self) -> dict[str, Any]:
        """What `from_table` reads back."""
        found: dict[str, Any] = {"kind": self.kind}
        for name in fields(self):  # type: ignore[arg-type]  # every structure is a dataclass
            value = getattr(self, name.name)
            found[name.name] = value.as_table() if isinstance(value, Structure) else value
        return found

    def free_flow_m3s(self, stage_m: float) -> float:
        """The rating itself, for a stage inside the valid range."""
        raise NotImplementedError

    def u_shape(self) -> float:
        """Standard relative uncertainty of the shape (angle, width) beside the coefficient."""
        return 0.0

    def head_offset_m(self) -> float:
        """What is added to the stage before the power is taken."""
        return 0.0

    def exponent_at(self, stage_m: float) -> float:
        """d ln Q / d ln h: how many per cent of discharge one per cent of head is."""
        return self.exponent

    def drowned(self, stage_m: float, tail_m: float) -> str | None:
        """Why the free-flow rating does not hold for this tailwater; None when it does."""
        if tail_m > 0.0:
            return f"tailwater stands {tail_m * 1000:.0f} mm over the crest: drowned"
        return None

    def discharge(
        self,
        stage_m: float,
        u_stage_m: float,
        u_random_m: float = 0.0,
        tail_m: float | None = None,
    ) -> Discharge:
        """Discharge of a stage; `u_stage_m` is the standard uncertainty of the stage.

        U = 2 * sqrt(u_C^2 + u_shape^2 + (n * u_h / (h + kh))^2), relative, after ISO 1438.
        `u_random_m` is the part of `u_stage_m` that is new with each reading (echoes), `tail_m`
        the tailwater over the crest where a second sensor measures it.
        """
        if stage_m < self.low_m - ROUNDING_M:
            bound = self.free_flow_m3s(self.low_m) * 1000.0
            why = f"stage {stage_m * 1000:.0f} mm is below the valid {self.low_m * 1000:.0f} mm"
            return Discharge(q=3, below_lps=bound, why=f"{why}: less than {bound:.3f} L/s")
        if stage_m > self.high_m + ROUNDING_M:
            bound = self.free_flow_m3s(self.high_m) * 1000.0
            why = f"stage {stage_m * 1000:.0f} mm is above the valid {self.high_m * 1000:.0f} mm"
            return Discharge(q=3, above_lps=bound, why=f"{why}: more than {bound:.3f} L/s")
        lps = self.free_flow_m3s(stage_m) * 1000.0
        held_back = None if tail_m is None else self.drowned(stage_m, tail_m)
        if held_back is not None:  # the tailwater holds back: less than in free flow
            return Discharge(q=3, below_lps=lps, why=f"{held_back}: less than {lps:.3f} L/s")
        per_head = self.exponent_at(stage_m) / (stage_m + self.head_offset_m())
        u_head = per_head * u_stage_m
        u = 2.0 * math.sqrt(self.u_coefficient**2 + self.u_shape() ** 2 + u_head**2)
        return Discharge(
            q=1, lps=lps, u_lps=lps * u, u_random_lps=2.0 * lps * per_head * u_random_m
        )
