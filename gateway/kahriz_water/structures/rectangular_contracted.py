# SPDX-License-Identifier: MIT
"""Rectangular thin-plate weir narrower than its channel, Kindsvater and Carter.

Q = 2/3 * sqrt(2 g) * Ce * (b + kb) * (h + 0.001)^1.5 with Ce = c2 + c1 * h/p; c1, c2 and kb go with
b/B, the width of the notch over the width of the channel, and lie on straight lines between the
rows of the tables. Valid for h > 30 mm, b > 0.15 m, p > 0.1 m, h/p < 2, b/B 0.2 to 1; above 0.8 the
jump of kb to the full width makes it less certain. Needs air under the nappe.

    [point.structure]
    kind = "rectangular_contracted"
    width_m = 0.4
    channel_width_m = 0.8
    crest_m = 0.3
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures.base import GRAVITY_M_S2, Structure
from kahriz_water.structures.rectangular_full_width import U_WIDTH_M

# (b/B, c1, c2) in feet and seconds: USBR Water Measurement Manual 7-6, equation 7-2
COEFFICIENTS = (
    (0.2, -0.0087, 3.152),
    (0.4, 0.0317, 3.164),
    (0.5, 0.0612, 3.173),
    (0.6, 0.0995, 3.178),
    (0.7, 0.1602, 3.182),
    (0.8, 0.2376, 3.189),
    (0.9, 0.3447, 3.205),
    (1.0, 0.4000, 3.220),
)
FEET = 2.0 / 3.0 * math.sqrt(2.0 * 32.174)  # of those c1 and c2 over a coefficient without unit
# (b/B, kb in m): ISO 1438 and Bos, Discharge Measurement Structures, ILRI 20, chapter 5
WIDTHS = ((0.2, 0.0024), (0.4, 0.0027), (0.6, 0.0036), (0.8, 0.0042), (1.0, -0.0009))
STEEP = 0.8  # of b/B: from here kb falls by 5 mm


@dataclass(frozen=True)
class RectangularContracted(Structure):
    width_m: float
    channel_width_m: float
    crest_m: float

    kind = "rectangular_contracted"
    low_m = 0.030  # ISO 1438
    u_coefficient = 0.01  # 1-2 % at 95 % for the coefficient (ISO 1438), halved
    exponent = 1.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "high_m", min(0.75, 2.0 * self.crest_m))

    @classmethod
    def from_table(cls, table: Table) -> Self:
        width_m = table.number("width_m", 0.15, 10, "metres")
        channel_width_m = table.number("channel_width_m", 0.15, 50, "metres")
        if not 0.2 <= width_m / channel_width_m <= 1.0:
            raise ConfigError(
                table.at("channel_width_m"), "one to five times width_m", channel_width_m
            )
        crest_m = table.number("crest_m", 0.1, 3, "metres over the channel floor")
        return cls(width_m, channel_width_m, crest_m)

    @property
    def ratio(self) -> float:
        return self.width_m / self.channel_width_m

    def head_offset_m(self) -> float:
        return 0.001

    def u_shape(self) -> float:
        u_kb_m = 0.001 if self.ratio > STEEP else 0.0003  # standard: kb read off a curve
        return math.hypot(U_WIDTH_M, u_kb_m) / self.width_m

    def coefficient(self, stage_m: float) -> float:
        c1 = _between([(row[0], row[1]) for row in COEFFICIENTS], self.ratio)
        c2 = _between([(row[0], row[2]) for row in COEFFICIENTS], self.ratio)
        return (c2 + c1 * stage_m / self.crest_m) / FEET

    def free_flow_m3s(self, stage_m: float) -> float:
        width = self.width_m + _between(WIDTHS, self.ratio)
        head = (stage_m + self.head_offset_m()) ** 1.5
        slope = 2.0 / 3.0 * math.sqrt(2.0 * GRAVITY_M_S2)
        return float(slope * self.coefficient(stage_m) * width * head)


def _between(rows: Sequence[tuple[float, float]], x: float) -> float:
    """Straight lines between the rows of a table that covers x.

    >>> _between([(0.0, 1.0), (1.0, 3.0)], 0.25)
    1.5
    """
    for (low, y_low), (high, y_high) in itertools.pairwise(rows):
        if low <= x <= high:
            return y_low + (x - low) / (high - low) * (y_high - y_low)
    raise ValueError(f"{x} is outside of the table")
