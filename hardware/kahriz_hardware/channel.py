# SPDX-License-Identifier: MIT
"""The channel in which a weir shall stand: its heights, its normal depth, the water it would pond.

All heights are metres over the channel's bed just above the weir. The bed falls by `drop_m` at the
weir itself, so the bed below it lies at -drop_m, and the pool above the plate may be dug that deep.
Normal depth after Manning, backwater by the direct step method (Chow, Open-Channel Hydraulics,
1959, chapters 6 and 10), both for a rectangular section.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kahriz_water.structures.base import GRAVITY_M_S2

UNDER_MOUTH_M = 0.05  # the water above the weir stays so far under the mouth's invert
FREEBOARD_M = 0.10  # lining that stays dry over the largest flow
NEAR_NORMAL = 1.02  # the backwater ends where the depth is within 2 % of the normal depth
STEPS = 400


BOUNDS = {  # beyond these it is no channel, or a slip of the pen
    "width_m": (0.05, 50.0, "a channel's width"),
    "depth_m": (0.02, 20.0, "a lining's height"),
    "drop_m": (0.0, 20.0, "the fall of the bed at the weir"),
    "mouth_invert_m": (-50.0, 50.0, "the mouth over the bed"),
    "bed_slope": (1e-5, 0.5, "a bed's slope"),
    "roughness": (0.005, 0.3, "Manning's n"),
    "pool_width_m": (0.05, 50.0, "a pool's width"),
    "tail_depth_m": (0.0, 20.0, "the depth below the weir"),
}


class SiteError(ValueError):
    """A measure of the site that cannot be; the message names it."""


@dataclass(frozen=True)
class Channel:
    """A rectangular channel and what stands above and below the weir, metres."""

    width_m: float
    depth_m: float
    drop_m: float
    mouth_invert_m: float
    bed_slope: float
    roughness: float = 0.015  # Manning's n of a concrete or dressed stone lining, s/m^(1/3)
    pool_width_m: float | None = None  # where the channel is widened above the plate
    tail_depth_m: float | None = None  # seen below the weir at the largest flow, over its bed

    def __post_init__(self) -> None:
        for name, (low, high, what) in BOUNDS.items():
            found = getattr(self, name)
            if found is not None and not low <= found <= high:  # true of "nan", too
                raise SiteError(f"{name} is {found:g}: {what} lies between {low:g} and {high:g}")
        if self.pool_width_m is not None and self.pool_width_m < self.width_m:
            raise SiteError(
                f"pool_width_m {self.pool_width_m} is less than the channel's {self.width_m}"
            )

    @property
    def approach_width_m(self) -> float:
        """Width of the pool above the plate."""
        return self.pool_width_m or self.width_m

    @property
    def highest_level_m(self) -> float:
        """Where the water above the weir may stand at the largest flow."""
        return min(self.mouth_invert_m - UNDER_MOUTH_M, self.depth_m - FREEBOARD_M)

    def tail_level_m(self, flow_m3s: float) -> float:
        """Level of the water below the weir: as seen, or the normal depth over the lower bed."""
        depth_m = self.normal_depth_m(flow_m3s) if self.tail_depth_m is None else self.tail_depth_m
        return depth_m - self.drop_m

    def normal_depth_m(self, flow_m3s: float) -> float:
        """Depth of a uniform flow in m3/s, by bisection of Manning's formula."""
        low, high = 0.0, 100.0
        for _ in range(80):
            middle = (low + high) / 2.0
            if self._uniform_m3s(middle) < flow_m3s:
                low = middle
            else:
                high = middle
        return high

    def froude(self, flow_m3s: float) -> float:
        """Of the uniform flow; from 1 on the water shoots."""
        depth_m = self.normal_depth_m(flow_m3s)
        return flow_m3s / (self.width_m * depth_m) / math.sqrt(GRAVITY_M_S2 * depth_m)

    def backwater_m(self, level_m: float, flow_m3s: float) -> float:
        """How far up the channel a level at the weir lifts the water; 0 where it lifts none.

        Steps of equal depth from the weir up to NEAR_NORMAL times the normal depth.
        """
        normal_m = self.normal_depth_m(flow_m3s)
        end_m = NEAR_NORMAL * normal_m
        if level_m <= end_m:
            return 0.0
        step_m = (level_m - end_m) / STEPS
        length_m = 0.0
        for i in range(STEPS):
            deep, shallow = level_m - i * step_m, level_m - (i + 1) * step_m
            friction = (self._friction(deep, flow_m3s) + self._friction(shallow, flow_m3s)) / 2.0
            energy = self._energy_m(deep, flow_m3s) - self._energy_m(shallow, flow_m3s)
            length_m += max(energy, 0.0) / (self.bed_slope - friction)
        return length_m

    def _uniform_m3s(self, depth_m: float) -> float:
        area = self.width_m * depth_m
        radius = area / (self.width_m + 2.0 * depth_m)
        speed = math.pow(radius, 2.0 / 3.0) * math.sqrt(self.bed_slope) / self.roughness
        return area * speed

    def _friction(self, depth_m: float, flow_m3s: float) -> float:
        return self.bed_slope * (flow_m3s / self._uniform_m3s(depth_m)) ** 2

    def _energy_m(self, depth_m: float, flow_m3s: float) -> float:
        speed = flow_m3s / (self.width_m * depth_m)
        return depth_m + speed**2 / (2.0 * GRAVITY_M_S2)
