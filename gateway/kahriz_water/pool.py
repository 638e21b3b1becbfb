# SPDX-License-Identifier: MIT
"""Level from a 4-20 mA sensor, and the volume that lies under a level.

Currents follow NAMUR NE 43: 3.8 to 20.5 mA is measurement, below 3.6 and above 21 a fault.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

MEASURED_MA = (3.8, 20.5)  # NAMUR NE 43
ALIVE_MA = (3.6, 21.0)  # NAMUR NE 43
U_SPAN = 0.0025  # standard, of the span: 0.5 % at 95 % is what hydrostatic sensors promise


def current_q(current_ma: float) -> int:
    """QARTOD flag of a loop current.

    >>> current_q(12.0), current_q(3.7), current_q(0.0)
    (1, 3, 4)
    """
    if MEASURED_MA[0] <= current_ma <= MEASURED_MA[1]:
        return 1
    return 3 if ALIVE_MA[0] <= current_ma <= ALIVE_MA[1] else 4


def level_m(current_ma: float, zero_m: float, span_m: float) -> float:
    """
    >>> level_m(12.0, 0.0, 3.0)
    1.5
    """
    return zero_m + (current_ma - 4.0) / 16.0 * span_m


def u_away_m(current_ma: float, pivot_ma: float | None, u_span_m: float | None) -> float:
    """What a span that was calibrated does not know, away from where it was.

    >>> u_away_m(20.0, 12.0, 0.010)
    0.005
    >>> u_away_m(20.0, None, None)
    0.0
    """
    if pivot_ma is None or u_span_m is None:
        return 0.0
    return abs(current_ma - pivot_ma) / 16.0 * u_span_m


def volume_m3(level: float, table: Sequence[tuple[float, float]]) -> float | None:
    """Volume by straight lines between the surveyed pairs; None outside of them.

    >>> volume_m3(1.5, [(0.0, 0.0), (3.0, 870.0)])
    435.0
    """
    for (low, v_low), (high, v_high) in itertools.pairwise(table):
        if low <= level <= high:
            return v_low + (level - low) / (high - low) * (v_high - v_low)
    return None


def area_m2(level: float, table: Sequence[tuple[float, float]]) -> float:
    """Surface at a level: the slope of the table there."""
    slopes = [
        (high, (v1 - v0) / (high - low)) for (low, v0), (high, v1) in itertools.pairwise(table)
    ]
    return next((slope for high, slope in slopes if level <= high), slopes[-1][1])
