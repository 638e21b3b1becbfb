# SPDX-License-Identifier: MIT
"""Parshall flume in free flow, ISO 9826 / ASTM D1941: Q = K * h^n, litres a second and metres.

Throats of 1, 2, 3, 6 and 9 inches. Drowned above 50 % (1 to 3 inches) or 60 % (6 and 9 inches) of
submergence, the head in the throat (a second channel, role = "tail") over the upstream head: then
the free-flow rating is only an upper bound.

    [point.structure]
    kind = "parshall"
    throat = "3in"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kahriz_water.strict import Table
from kahriz_water.structures.base import Structure

# throat: (K in L/s and m, n, lowest stage m, highest stage m, highest submergence of free flow),
# ISO 9826 / ASTM D1941; the submergence as in the USBR Water Measurement Manual, chapter 8
THROATS = {
    "1in": (60.4, 1.55, 0.015, 0.210, 0.50),
    "2in": (120.7, 1.55, 0.015, 0.240, 0.50),
    "3in": (177.1, 1.55, 0.030, 0.330, 0.50),
    "6in": (381.2, 1.58, 0.030, 0.450, 0.60),
    "9in": (535.4, 1.53, 0.030, 0.600, 0.60),
}


@dataclass(frozen=True)
class Parshall(Structure):
    throat: str

    kind = "parshall"
    u_coefficient = 0.02  # 3-5 % at 95 % for the coefficient (ISO 9826), halved to a standard

    def __post_init__(self) -> None:
        _, n, low_m, high_m, _ = THROATS[self.throat]
        object.__setattr__(self, "exponent", n)
        object.__setattr__(self, "low_m", low_m)
        object.__setattr__(self, "high_m", high_m)

    @classmethod
    def from_table(cls, table: Table) -> Self:
        return cls(throat=table.choice("throat", tuple(THROATS)))

    def free_flow_m3s(self, stage_m: float) -> float:
        k, n, *_ = THROATS[self.throat]
        return float(k * stage_m**n) / 1000.0

    def drowned(self, stage_m: float, tail_m: float) -> str | None:
        limit = THROATS[self.throat][4]
        submergence = tail_m / stage_m
        if submergence <= limit:
            return None
        return f"submergence {submergence:.0%} is above {limit:.0%}: drowned"
