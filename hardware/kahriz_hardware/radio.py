# SPDX-License-Identifier: MIT
"""A radio link at 2.4 GHz: what arrives, both ways, and how far the ground and a hill take it.

Loss: free space (ITU-R P.525) or, beyond the breakpoint, the ground's reflection (plane earth),
the larger of both; a ridge in the way as one knife edge (ITU-R P.526, section 4.1). Leaves and
walls are given by hand: nothing here knows them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LIGHT_M_S = 299_792_458.0
FREQUENCY_HZ = 2.437e9  # channel 6
EIRP_MOST_DBM = 20.0  # ETSI EN 300 328: 100 mW radiated, antenna and all; from memory
CLEAR_OF_FRESNEL = 0.6  # of the first zone's radius: then the loss is that of free space
MARGIN_LEAST_DB = 15.0  # ours: rain, wet leaves, ice, a panel that has turned, an old battery
NODE_DBM = 19.5  # Espressif, ESP32 data sheet, 802.11b; from memory
NODE_HEARS_DBM = -97.0  # the same, 1 Mbit/s; from memory
POINT_DBM = 20.0  # an outdoor access point before the rule on EIRP; ours
POINT_HEARS_DBM = -94.0  # the same at 1 Mbit/s; ours


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: power at the antenna's socket, what it still hears, antenna, height."""

    dbm: float
    hears_dbm: float
    dbi: float
    height_m: float

    @property
    def eirp_dbm(self) -> float:
        """As much as the rule lets out: a larger antenna is then turned down."""
        return min(self.dbm + self.dbi, EIRP_MOST_DBM)


@dataclass(frozen=True, slots=True)
class Link:
    """A path between two ends; the ridge stands at a share of the way, over the straight ground."""

    near: End
    far: End
    distance_m: float
    ridge_m: float = 0.0
    ridge_at: float = 0.5
    other_db: float = 0.0

    @property
    def wave_m(self) -> float:
        return LIGHT_M_S / FREQUENCY_HZ

    @property
    def free_space_db(self) -> float:
        return 20.0 * math.log10(4.0 * math.pi * self.distance_m / self.wave_m)

    @property
    def plane_earth_db(self) -> float:
        heights = self.near.height_m * self.far.height_m
        return 40.0 * math.log10(self.distance_m) - 20.0 * math.log10(heights)

    @property
    def fresnel_m(self) -> float:
        """Radius of the first zone where the ridge stands."""
        share = self.ridge_at * (1.0 - self.ridge_at)
        return math.sqrt(self.wave_m * self.distance_m * share)

    @property
    def line_m(self) -> float:
        """Height of the straight line over the ground where the ridge stands."""
        return self.near.height_m + self.ridge_at * (self.far.height_m - self.near.height_m)

    @property
    def clearance(self) -> float:
        """Shares of the first zone's radius that are free above the ridge; negative: hidden."""
        return (self.line_m - self.ridge_m) / self.fresnel_m

    @property
    def ridge_db(self) -> float:
        """Loss over one knife edge; none where 0.6 of the zone is clear, or there is no ridge."""
        v = -math.sqrt(2.0) * self.clearance
        if self.ridge_m <= 0.0 or v <= -0.78:
            return 0.0
        return 6.9 + 20.0 * math.log10(math.sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)

    @property
    def loss_db(self) -> float:
        return max(self.free_space_db, self.plane_earth_db) + self.ridge_db + self.other_db

    def arrives_dbm(self, sender: End, hearer: End) -> float:
        return sender.eirp_dbm - self.loss_db + hearer.dbi

    def margins_db(self) -> tuple[float, float]:
        """Near to far, far to near: decibels over what is still heard."""
        return (
            self.arrives_dbm(self.near, self.far) - self.far.hears_dbm,
            self.arrives_dbm(self.far, self.near) - self.near.hears_dbm,
        )
