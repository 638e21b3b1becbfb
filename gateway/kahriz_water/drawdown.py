# SPDX-License-Identifier: MIT
"""The night test of a pool: shut it, wait, and the level tells what it loses, in litres an hour.

The level's change over a night is known to 3 mm (two readings of a 4-20 mA sensor that keeps still,
evaporation of a night within it), so the smallest loss that can be told is area * 3 mm / hours:
9.4 L/h on 25 m2 in 8 h. A hundred times finer than the difference of two weirs.
Where the inflow cannot be turned past, the filling test compares what the inflow's meter says with
what the pool gains: only as fine as that meter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

U_LEVEL_M = 0.003  # expanded, of the change of a level over a night
HOURS = (2.0, 24.0)
COVERAGE = 0.8  # of the readings that should be there
TIGHT, LOSES, RISES, UNMEASURED = "tight", "loses", "rises", "unmeasured"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test says: `loss_lph` +- `u_lph` litres an hour, both None when not measured."""

    verdict: str
    loss_lph: float | None
    u_lph: float | None
    coverage: float


def detectable_lph(area_m2: float, hours: float) -> float:
    """The smallest loss that a test can tell.

    >>> round(detectable_lph(25.0, 8.0), 1), round(detectable_lph(293.0, 8.0))
    (9.4, 110)
    """
    return area_m2 * U_LEVEL_M * 1000.0 / hours


def drawdown(
    levels: Sequence[tuple[int, float]], area_m2: float, start_ms: int, end_ms: int, dt_s: float
) -> Outcome:
    """Loss of a pool that was shut from start to end; `levels` are (ms, metres) in order.

    The slope is the least-squares line through all levels; its scatter widens the uncertainty,
    never narrows it below what the sensor can say.
    """
    hours = (end_ms - start_ms) / 3_600_000.0
    inside = [(ts, m) for ts, m in levels if start_ms <= ts <= end_ms]
    coverage = min(1.0, len(inside) * dt_s / (hours * 3600.0))
    if len(inside) < 4 or coverage < COVERAGE:
        return Outcome(UNMEASURED, None, None, coverage)
    slope_m_h, scatter_m_h = _line([((ts - start_ms) / 3_600_000.0, m) for ts, m in inside])
    loss = -slope_m_h * area_m2 * 1000.0
    u = max(detectable_lph(area_m2, hours), 2.0 * scatter_m_h * area_m2 * 1000.0)
    verdict = LOSES if loss > u else RISES if loss < -u else TIGHT
    return Outcome(verdict, loss, u, coverage)


def filling(
    levels: Sequence[tuple[int, float]],
    area_m2: float,
    inflow: tuple[float, float, float] | None,
    span_ms: tuple[int, int],
    dt_s: float,
) -> Outcome:
    """Loss of a pool while it fills: inflow (m3, its U, coverage) less what the pool gained."""
    gain = drawdown(levels, area_m2, *span_ms, dt_s)
    if gain.loss_lph is None or gain.u_lph is None or inflow is None or inflow[2] < COVERAGE:
        return Outcome(UNMEASURED, None, None, gain.coverage)
    hours = (span_ms[1] - span_ms[0]) / 3_600_000.0
    m3, u_m3, coverage = inflow
    loss = m3 / coverage * 1000.0 / hours + gain.loss_lph
    u = math.hypot(u_m3 / coverage * 1000.0 / hours, gain.u_lph)
    verdict = LOSES if loss > u else RISES if loss < -u else TIGHT
    return Outcome(verdict, loss, u, min(gain.coverage, coverage))


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope of the least-squares line and its standard error."""
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    sxx = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sxx
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, math.sqrt(rest / (n - 2) / sxx)
