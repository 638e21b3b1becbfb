# SPDX-License-Identifier: MIT
"""Thin-plate V-notch weir: discharge from stage and back, written for the oracle alone.

Kindsvater-Shen as in ISO 1438 and the USBR Water Measurement Manual, 7-7. The gateway has its own
formula; this one must never be shared with it, or a mistake would hide in both.
"""

from dataclasses import dataclass
from functools import cached_property
from math import radians, sqrt, tan

G_M_S2 = 9.80665  # standard gravity, as in the golden table
FOOT_M = 0.3048
STAGE_MIN_M = 0.060  # USBR 7-7: below 0.2 ft the nappe clings
STAGE_MAX_M = 0.380  # USBR 7-7: fully contracted up to 1.25 ft


@dataclass(frozen=True)
class VNotch:
    """A V-notch of `angle_deg`; real water flows outside the valid range too."""

    angle_deg: float = 90.0

    @cached_property
    def coefficient(self) -> float:
        """Q / (h + kh)^2.5 in m^0.5/s."""
        a = self.angle_deg
        ce = 0.607165052 - 0.000874466963 * a + 6.10393334e-6 * a * a
        return ce * (8.0 / 15.0) * sqrt(2.0 * G_M_S2) * tan(radians(a) / 2.0)

    @cached_property
    def head_correction_m(self) -> float:
        """The kh of Kindsvater-Shen."""
        a = self.angle_deg
        feet = 0.0144902648 + a * (-0.00033955535 + a * (3.29819003e-6 - a * 1.06215442e-8))
        return FOOT_M * feet

    def discharge_m3s(self, stage_m: float) -> float:
        if stage_m <= 0.0:
            return 0.0
        return float(self.coefficient * (stage_m + self.head_correction_m) ** 2.5)

    def stage_m(self, discharge_m3s: float) -> float:
        if discharge_m3s <= 0.0:
            return 0.0
        effective_m = float((discharge_m3s / self.coefficient) ** 0.4)
        return max(0.0, effective_m - self.head_correction_m)

    def is_valid(self, stage_m: float) -> bool:
        """Whether a hydrologist would sign a number at this stage."""
        return STAGE_MIN_M <= stage_m <= STAGE_MAX_M and 25.0 <= self.angle_deg <= 100.0
