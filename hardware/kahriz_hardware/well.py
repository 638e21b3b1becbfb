# SPDX-License-Identifier: MIT
"""Whether a level sensor may hang where it is meant to: beam, blind zone, lag of the well."""

from __future__ import annotations

import math
from dataclasses import dataclass

GRAVITY_M_S2 = 9.80665
ORIFICE = 0.6  # discharge coefficient of a sharp-edged hole
FACE_CLEAR_M = 0.3  # ours: spray and dew, whatever the blind zone
PROBE_GAP_MM = 20.0  # ours: around a pressure probe, for silt and for pulling it out
STEP_MM, READ_MM = 50.0, 1.0  # a sudden rise outside, and how near the well must come


@dataclass(frozen=True, slots=True)
class Sensor:
    """`beam_deg`: full angle; None where no sound leaves it. `width_mm`: of the body."""

    beam_deg: float | None
    blind_m: float
    width_mm: float
    source: str


SENSORS = {
    "a02yyuw": Sensor(60.0, 0.03, 60.0, "DFRobot SEN0311 wiki: 60 degrees, 30 mm blind"),
    "jsn_sr04t": Sensor(75.0, 0.20, 40.0, "sellers' data sheet, from memory: 75 degrees, 200 mm"),
    "pressure": Sensor(None, 0.0, 30.0, "a submersed 4-20 mA probe, 26-30 mm thick"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where it hangs: in a round well or over an open channel, both by their clear width."""

    sensor: Sensor
    nearest_m: float  # face to the highest water
    farthest_m: float  # face to the lowest water
    width_mm: float
    round_well: bool

    @property
    def radius_mm(self) -> float:
        """Of the beam at the lowest water."""
        if self.sensor.beam_deg is None:
            return 0.0
        return 1000.0 * self.farthest_m * math.tan(math.radians(self.sensor.beam_deg / 2.0))

    @property
    def refusals(self) -> list[str]:
        """Why it may not hang there, with the numbers."""
        found = []
        kind = f"a well of Ø {self.width_mm:.0f} mm" if self.round_well else "the channel"
        if self.sensor.beam_deg is None:
            if self.round_well and self.width_mm < self.sensor.width_mm + 2.0 * PROBE_GAP_MM:
                found.append(
                    f"{kind} is too narrow for a probe of {self.sensor.width_mm:.0f} mm with "
                    f"{PROBE_GAP_MM:.0f} mm of water around it"
                )
            return found
        least_m = max(self.sensor.blind_m, FACE_CLEAR_M)
        if self.nearest_m < least_m:
            found.append(
                f"the face is {self.nearest_m:.2f} m over the highest water; at least "
                f"{least_m:.2f} m (blind up to {self.sensor.blind_m:.2f} m, and spray)"
            )
        if self.radius_mm > self.width_mm / 2.0:
            found.append(
                f"a beam of {self.sensor.beam_deg:.0f}° is {self.radius_mm:.0f} mm in radius at "
                f"{self.farthest_m:.2f} m, {kind} gives {self.width_mm / 2.0:.0f} mm: "
                "the wall would answer before the water"
            )
        return found

    @property
    def longest_m(self) -> float:
        """The farthest water at which the beam still fits."""
        assert self.sensor.beam_deg is not None
        half = math.tan(math.radians(self.sensor.beam_deg / 2.0))
        return self.width_mm / 2000.0 / half


def hole_mm(well_mm: float, share: float) -> float:
    """Diameter of an inlet whose area is that share of the well's."""
    return well_mm * math.sqrt(share)


def lag_s(share: float) -> float:
    """Seconds until the well is within READ_MM after a sudden STEP_MM outside."""
    fall = math.sqrt(STEP_MM / 1000.0) - math.sqrt(READ_MM / 1000.0)
    return 2.0 * fall / (ORIFICE * share * math.sqrt(2.0 * GRAVITY_M_S2))
