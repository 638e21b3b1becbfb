# SPDX-License-Identifier: MIT
"""Rating table: gauged pairs of stage and discharge, straight lines between their logarithms.

For a section or an odd weir that no formula knows. Valid from the first row to the last; it is
never drawn out beyond them. Says who made it and from which gaugings.

    [point.structure]
    kind = "rating_table"
    rows = [[0.060, 1.31], [0.110, 5.60], [0.200, 24.1]] # stage in m, discharge in L/s
    u_percent = 6.0 # expanded (95 %), of the curve
    author = "R. Quliyev"
    gaugings = ["2026-04-01 pool", "2026-04-02 bucket"]
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures.base import Structure


@dataclass(frozen=True)
class RatingTable(Structure):
    rows: tuple[tuple[float, float], ...]
    u_percent: float
    author: str
    gaugings: tuple[str, ...]

    kind = "rating_table"

    def __post_init__(self) -> None:
        object.__setattr__(self, "low_m", self.rows[0][0])
        object.__setattr__(self, "high_m", self.rows[-1][0])
        object.__setattr__(self, "u_coefficient", self.u_percent / 200.0)

    @classmethod
    def from_table(cls, table: Table) -> Self:
        return cls(
            rows=_rows(table),
            u_percent=table.number("u_percent", 1, 50, "per cent, expanded"),
            author=table.text("author"),
            gaugings=_gaugings(table),
        )

    def exponent_at(self, stage_m: float) -> float:
        (h0, q0), (h1, q1) = self._piece(stage_m)
        return math.log(q1 / q0) / math.log(h1 / h0)

    def free_flow_m3s(self, stage_m: float) -> float:
        (h0, q0), _ = self._piece(stage_m)
        return float(q0 * (stage_m / h0) ** self.exponent_at(stage_m)) / 1000.0

    def _piece(self, stage_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
        pieces = list(itertools.pairwise(self.rows))
        return next((piece for piece in pieces if stage_m <= piece[1][0]), pieces[-1])


def _rows(table: Table) -> tuple[tuple[float, float], ...]:
    pairs = table.raw("rows")
    expected = "pairs [stage in m, discharge in L/s], positive, both rising, at least two"
    try:
        rows = tuple((float(stage), float(lps)) for stage, lps in pairs)
    except (TypeError, ValueError) as error:
        raise ConfigError(table.at("rows"), expected, pairs) from error
    steps = list(itertools.pairwise(rows))
    if not steps or rows[0][0] <= 0 or rows[0][1] <= 0:
        raise ConfigError(table.at("rows"), expected, pairs)
    if any(b[0] <= a[0] or b[1] <= a[1] for a, b in steps) or rows[-1][0] > 5:
        raise ConfigError(table.at("rows"), f"{expected}, stage in metres", pairs)
    return rows


def _gaugings(table: Table) -> tuple[str, ...]:
    names = table.raw("gaugings")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ConfigError(table.at("gaugings"), "the gaugings behind it, a list of texts", names)
    return tuple(names)
