# SPDX-License-Identifier: MIT
"""The structures that make a discharge out of a stage: the index, one a file."""

from __future__ import annotations

from kahriz_water.structures.base import Discharge, Structure
from kahriz_water.structures.gauged import Gauged
from kahriz_water.structures.parshall import Parshall
from kahriz_water.structures.power_law import PowerLaw
from kahriz_water.structures.rating_table import RatingTable
from kahriz_water.structures.rectangular_contracted import RectangularContracted
from kahriz_water.structures.rectangular_full_width import RectangularFullWidth
from kahriz_water.structures.v_notch import VNotch

STRUCTURES: dict[str, type[Structure]] = {
    "v_notch": VNotch,
    "parshall": Parshall,
    "rectangular_full_width": RectangularFullWidth,
    "rectangular_contracted": RectangularContracted,
    "rating_table": RatingTable,
    "power_law": PowerLaw,
    "gauged": Gauged,
}

__all__ = ["STRUCTURES", "Discharge", "Structure"]
