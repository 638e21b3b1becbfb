# SPDX-License-Identifier: MIT
"""A structure whose coefficient was fitted to gaugings on site: another one, times a scale.

The shape of the curve and the valid range stay those of the structure in `of`. The uncertainty is
that of the fit: what the plate's angle and the coefficient were not sure of, the gaugings have
measured. Made by `kahriz gateway rating fit`, which says from which gaugings.

    [rating.structure]
    kind = "gauged"
    scale = 1.043
    u_percent = 3.1 # expanded (95 %), of the scale
    of = { kind = "v_notch", angle_deg = 90 }
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures.base import Structure

SCALE = (0.7, 1.4)  # beyond it is no longer this structure: a wrong plate or a wrong zero


@dataclass(frozen=True)
class Gauged(Structure):
    of: Structure
    scale: float
    u_percent: float

    kind = "gauged"

    def __post_init__(self) -> None:
        object.__setattr__(self, "low_m", self.of.low_m)
        object.__setattr__(self, "high_m", self.of.high_m)
        object.__setattr__(self, "u_coefficient", self.u_percent / 200.0)

    @classmethod
    def from_table(cls, table: Table) -> Self:
        from kahriz_water.structures import STRUCTURES  # the index names this file too

        inner = table.table("of")
        plain = tuple(kind for kind in STRUCTURES if kind != cls.kind)
        of = STRUCTURES[inner.choice("kind", plain)].from_table(inner)
        inner.done()
        if of.high_m <= of.low_m:
            raise ConfigError(table.at("of"), "a structure with a valid range")
        return cls(
            of=of,
            scale=table.number("scale", *SCALE, "times the structure's own discharge"),
            u_percent=table.number("u_percent", 1, 50, "per cent, expanded"),
        )

    def free_flow_m3s(self, stage_m: float) -> float:
        return self.scale * self.of.free_flow_m3s(stage_m)

    def head_offset_m(self) -> float:
        return self.of.head_offset_m()

    def exponent_at(self, stage_m: float) -> float:
        return self.of.exponent_at(stage_m)

    def drowned(self, stage_m: float, tail_m: float) -> str | None:
        return self.of.drowned(stage_m, tail_m)
