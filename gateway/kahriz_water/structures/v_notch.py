# SPDX-License-Identifier: MIT
"""Thin-plate V-notch weir after Kindsvater and Shen.

Q = Ce * 8/15 * sqrt(2 g) * tan(angle/2) * (h + kh)^2.5, SI. Ce and kh are the fits to the curves
of ISO 1438 and the USBR Water Measurement Manual, chapter 7-7; kh comes in feet there. Valid from
60 mm (0.2 ft, the nappe clings below) to 380 mm (1.25 ft, fully contracted), 25 to 100 degrees.

    [point.structure]
    kind = "v_notch"
    angle_deg = 90
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from kahriz_water.strict import Table
from kahriz_water.structures.base import GRAVITY_M_S2, Structure

FOOT_M = 0.3048
U_ANGLE_DEG = 0.25  # standard uncertainty of a plate cut in a village workshop


@dataclass(frozen=True)
class VNotch(Structure):
    angle_deg: float

    kind = "v_notch"
    low_m = 0.060  # USBR Water Measurement Manual 7-7
    high_m = 0.380  # USBR Water Measurement Manual 7-7, fully contracted
    u_coefficient = 0.01  # 95 % of 1-2 % for the coefficient (ISO 1438), halved to a standard
    exponent = 2.5

    @classmethod
    def from_table(cls, table: Table) -> Self:
        return cls(angle_deg=table.number("angle_deg", 25, 100, "degrees"))

    def head_offset_m(self) -> float:
        return _head_offset_m(self.angle_deg)

    def u_shape(self) -> float:
        return _u_shape(self.angle_deg)

    def free_flow_m3s(self, stage_m: float) -> float:
        angle = self.angle_deg
        return float(_factor(angle) * (stage_m + _head_offset_m(angle)) ** 2.5)


@lru_cache(64)
def _head_offset_m(a: float) -> float:
    feet = 0.0144902648 - 0.00033955535 * a + 3.29819003e-6 * a**2 - 1.06215442e-8 * a**3
    return FOOT_M * feet


@lru_cache(64)
def _u_shape(angle_deg: float) -> float:
    angle = math.radians(angle_deg)
    return math.radians(U_ANGLE_DEG) / math.sin(angle)  # d ln tan(angle/2)


@lru_cache(64)
def _factor(a: float) -> float:
    """Coefficient and shape of the notch: all that does not depend on the head."""
    ce = 0.607165052 - 0.000874466963 * a + 6.10393334e-6 * a**2
    shape = 8.0 / 15.0 * math.sqrt(2.0 * GRAVITY_M_S2) * math.tan(math.radians(a) / 2.0)
    return ce * shape
