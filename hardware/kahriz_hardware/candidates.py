# SPDX-License-Identifier: MIT
"""The structures that come into question for a flow, each with the limits of its standard.

V-notch: fully contracted up to 0.38 m of head, head 0.4 of the sill, 0.2 of the width, sill 0.45 m,
channel 0.90 m; partially contracted, 90 degrees only, up to 1.2 of the sill, 0.4 of the width, sill
0.10 m, channel 0.60 m (ISO 1438; Bos, Discharge Measurement Structures, ILRI 20, 5.2; USBR Water
Measurement Manual 7-7). Rectangular over the full width: head 30 mm to 2 sills, sill 0.10 m (ISO
1438). Fall to the tailwater: 60 mm under a notch (USBR 7-7), 50 mm under a level crest (Bos 5.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from kahriz_water.structures import Structure
from kahriz_water.structures.parshall import THROATS, Parshall
from kahriz_water.structures.rectangular_full_width import RectangularFullWidth
from kahriz_water.structures.v_notch import VNotch

SMALL_LPS = 2.0  # under this a 90 degree notch has too little head: 60 or 45 degrees


@dataclass(frozen=True)
class Contraction:
    """How far bed and walls must stay from the notch for its curve to hold."""

    name: str
    head_per_sill: float
    head_per_width: float
    sill_m: float
    width_m: float
    head_m: float


FULL = Contraction("fully contracted", 0.4, 0.2, 0.45, 0.90, 0.38)
PARTIAL = Contraction("partially contracted", 1.2, 0.4, 0.10, 0.60, 0.60)
LEVEL_CREST = Contraction("over the full width", 2.0, math.inf, 0.10, 0.15, 0.75)


@dataclass(frozen=True)
class Candidate:
    """A weir to be tried in a channel: a notch of an angle, or a level crest of a width."""

    name: str
    contraction: Contraction
    angle_deg: float | None = None
    width_m: float = 0.0

    @property
    def free_fall_m(self) -> float:
        """From the crest down to the tailwater, at least."""
        return 0.05 if self.angle_deg is None else 0.06

    def structure(self, sill_m: float) -> Structure:
        """The rating of this weir with its crest so high over the pool's floor."""
        if self.angle_deg is None:
            return RectangularFullWidth(self.width_m, sill_m)
        return VNotch(self.angle_deg)

    def top_width_m(self, head_m: float) -> float:
        """Width of the water in the opening at a head."""
        if self.angle_deg is None:
            return self.width_m
        return 2.0 * head_m * math.tan(math.radians(self.angle_deg / 2.0))

    def sill_for_m(self, head_m: float) -> float:
        """How high the crest must stand over the pool's floor at a head."""
        return max(self.contraction.sill_m, head_m / self.contraction.head_per_sill)


def weirs(min_lps: float, approach_width_m: float) -> Iterator[Candidate]:
    """Weirs, the most exact first: notches by the smallest flow, then a level crest."""
    angles = (90.0, 60.0, 45.0) if min_lps >= SMALL_LPS else (60.0, 45.0, 90.0)
    for angle_deg in angles:
        yield Candidate(f"{angle_deg:.0f}° V-notch", FULL, angle_deg)
    yield Candidate("90° V-notch", PARTIAL, 90.0)
    yield Candidate("level crest", LEVEL_CREST, width_m=approach_width_m)


def flumes() -> Iterator[tuple[str, Parshall, float]]:
    """Parshall flumes from the narrowest, with the submergence up to which they flow free."""
    for throat, (*_, submergence) in THROATS.items():
        yield throat, Parshall(throat), submergence


def head_m(structure: Structure, lps: float) -> float | None:
    """The stage at which a structure passes so many litres a second; None outside its range."""
    low, high = structure.low_m, structure.high_m
    if not structure.free_flow_m3s(low) <= lps / 1000.0 <= structure.free_flow_m3s(high):
        return None
    for _ in range(60):
        middle = (low + high) / 2.0
        if structure.free_flow_m3s(middle) * 1000.0 < lps:
            low = middle
        else:
            high = middle
    return high
