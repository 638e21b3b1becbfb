# SPDX-License-Identifier: MIT
"""Rectangular thin-plate weir over the full width of the channel, Kindsvater and Carter.

Q = 2/3 * sqrt(2 g) * (0.602 + 0.075 h/p) * (b - 0.001) * (h + 0.001)^1.5, with width b and crest
height p in metres (ISO 1438). Valid for h > 30 mm, b > 0.15 m, p > 0.1 m, h/p < 2. Needs air
under the nappe.

    [point.structure]
    kind = "rectangular_full_width"
    width_m = 0.5
    crest_m = 0.3
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import Table
from kahriz_water.structures.base import GRAVITY_M_S2, Structure

U_WIDTH_M = 0.001  # standard uncertainty of a width taken with a steel rule


@dataclass(frozen=True)
class RectangularFullWidth(Structure):
    width_m: float
    crest_m: float

    kind = "rectangular_full_width"
    low_m = 0.030  # ISO 1438
    u_coefficient = 0.01  # 1-2 % at 95 % for the coefficient (ISO 1438), halved
    exponent = 1.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "high_m", min(0.75, 2.0 * self.crest_m))

    @classmethod
    def from_table(cls, table: Table) -> Self:
        return cls(
            width_m=table.number("width_m", 0.15, 10, "metres"),
            crest_m=table.number("crest_m", 0.1, 3, "metres over the channel floor"),
        )

    def head_offset_m(self) -> float:
        return 0.001

    def u_shape(self) -> float:
        return U_WIDTH_M / self.width_m

    def free_flow_m3s(self, stage_m: float) -> float:
        coefficient = 0.602 + 0.075 * stage_m / self.crest_m
        head = (stage_m + 0.001) ** 1.5
        slope = 2.0 / 3.0 * math.sqrt(2.0 * GRAVITY_M_S2)
        return float(slope * coefficient * (self.width_m - 0.001) * head)
