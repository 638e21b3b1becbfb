# SPDX-License-Identifier: MIT
"""Power law: Q = coefficient * (stage + offset)^exponent, for a section that no formula knows.

The stage-discharge relation of ISO 18320 with one control. Valid from the lowest gauged stage to
the highest; it is never drawn out beyond them. Made by `kahriz gateway rating fit`.

    [rating.structure]
    kind = "power_law"
    coefficient_lps = 1380 # L/s at stage + offset = 1 m
    exponent = 2.5
    offset_m = 0.0 # how far below the zero of the stage the water would stand still
    low_m = 0.070
    high_m = 0.210
    u_percent = 5.0 # expanded (95 %), of the curve
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures.base import Structure

EXPONENT = (1.0, 4.0)  # a wide weir has 1.5, a parabola 2, a notch 2.5; banks add to it
OFFSET_M = (-1.0, 1.0)


@dataclass(frozen=True)
class PowerLaw(Structure):
    coefficient_lps: float
    offset_m: float
    u_percent: float
    exponent: float
    low_m: float
    high_m: float

    kind = "power_law"

    def __post_init__(self) -> None:
        object.__setattr__(self, "u_coefficient", self.u_percent / 200.0)

    @classmethod
    def from_table(cls, table: Table) -> Self:
        offset_m = table.optional_number("offset_m", *OFFSET_M, "metres") or 0.0
        low_m = table.number("low_m", 0.001, 5, "metres")
        high_m = table.number("high_m", 0.001, 5, "metres")
        if high_m <= low_m:
            raise ConfigError(table.at("high_m"), "more than low_m", high_m)
        if low_m + offset_m <= 0:
            raise ConfigError(table.at("offset_m"), "low_m + offset_m above 0", offset_m)
        return cls(
            coefficient_lps=table.number("coefficient_lps", 0.001, 1e7, "L/s at one metre"),
            offset_m=offset_m,
            u_percent=table.number("u_percent", 1, 50, "per cent, expanded"),
            exponent=table.number("exponent", *EXPONENT, "(a power)"),
            low_m=low_m,
            high_m=high_m,
        )

    def head_offset_m(self) -> float:
        return self.offset_m

    def free_flow_m3s(self, stage_m: float) -> float:
        return float(self.coefficient_lps * (stage_m + self.offset_m) ** self.exponent / 1000.0)
