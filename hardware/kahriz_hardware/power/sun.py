# SPDX-License-Identifier: MIT
"""Radiation on a tilted panel from a month's total on level ground.

Isotropic sky after Liu and Jordan, monthly diffuse share after Erbs, Klein and Duffie (1982), mean
days after Klein (1977); all in Duffie and Beckman, Solar Engineering of Thermal Processes,
chapters 1 and 2. The panel looks south.
"""

from __future__ import annotations

import math

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MEAN_DAY = (17, 47, 75, 105, 135, 162, 198, 228, 258, 288, 318, 344)  # of the year, Klein
SOLAR_W_M2 = 1367.0
MJ_PER_KWH = 3.6
LOW_SUN_RAD = math.radians(81.4)  # Erbs: sunset angle that parts winter from summer


def tilted_kwh_m2_day(
    month: int, level_mj_m2_month: float, latitude_deg: float, tilt_deg: float, albedo: float
) -> float:
    """kWh on a square metre of panel on a mean day; months count from 0."""
    level = level_mj_m2_month / DAYS[month]
    phi, tilt = math.radians(latitude_deg), math.radians(tilt_deg)
    day = MEAN_DAY[month]
    delta = math.radians(23.45) * math.sin(math.radians(360.0 * (284 + day) / 365.0))
    sunset = math.acos(-math.tan(phi) * math.tan(delta))
    above = _above_air_mj(day, phi, delta, sunset)
    diffuse = _diffuse_share(min(level / above, 0.8), sunset)
    tilted_sunset = min(sunset, math.acos(-math.tan(phi - tilt) * math.tan(delta)))
    beam = _height(phi - tilt, delta, tilted_sunset) / _height(phi, delta, sunset)
    sky = diffuse * (1.0 + math.cos(tilt)) / 2.0
    ground = albedo * (1.0 - math.cos(tilt)) / 2.0
    return level * ((1.0 - diffuse) * beam + sky + ground) / MJ_PER_KWH


def _height(phi: float, delta: float, sunset: float) -> float:
    """The day's sum of the sine of the sun's height over a plane."""
    return math.cos(phi) * math.cos(delta) * math.sin(sunset) + sunset * math.sin(phi) * math.sin(
        delta
    )


def _above_air_mj(day: int, phi: float, delta: float, sunset: float) -> float:
    distance = 1.0 + 0.033 * math.cos(math.radians(360.0 * day / 365.0))
    return 86400.0 / math.pi * SOLAR_W_M2 * distance * _height(phi, delta, sunset) / 1e6


def _diffuse_share(clear: float, sunset: float) -> float:
    if sunset <= LOW_SUN_RAD:
        share = 1.391 - 3.560 * clear + 4.189 * clear**2 - 2.137 * clear**3
    else:
        share = 1.311 - 3.022 * clear + 3.427 * clear**2 - 1.821 * clear**3
    return min(max(share, 0.0), 1.0)
