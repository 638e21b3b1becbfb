# SPDX-License-Identifier: MIT
"""Fits a rating to gaugings: a scale of the structure that stands there, or a power law.

Least squares of ln Q, each gauging with the weight of its own uncertainty (ISO 18320). The
standard uncertainty of the curve is what its residuals leave, and not less than the gaugings' own.
A fit is refused in numbers when it does not meet each gauging within 10 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kahriz_water.calibration import APART, STAGES
from kahriz_water.gauging import DEVICE, Gauging
from kahriz_water.strict import ConfigError
from kahriz_water.structures.base import Structure
from kahriz_water.structures.gauged import SCALE, Gauged
from kahriz_water.structures.power_law import EXPONENT, PowerLaw

STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)  # 95 %, 1 to 10 free
U_SHARED = 0.01  # standard: bucket, tape, factor; the same for all, not made smaller by many
ZERO_LEAST_M = 0.001
ZERO_MOST_M = 0.030  # a zero that is further off has been seen with the naked eye


@dataclass(frozen=True, slots=True)
class Point:
    """One gauging: stage, discharge, and the standard uncertainty of ln Q."""

    stage_m: float
    lps: float
    u_ln: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The fitted structure, and what each gauging says of it.

    `residuals` are fitted over gauged, less one. `hint`: a wrong zero that would explain them.
    """

    structure: Structure
    points: tuple[Point, ...]
    residuals: tuple[float, ...]
    u_percent: float
    hint: str = ""

    def words(self) -> str:
        """What is fitted, for the note of a record."""
        made = self.structure
        curve = made.kind
        if isinstance(made, Gauged):
            curve = f"{made.of.kind} times {made.scale:.4f}"
        elif isinstance(made, PowerLaw):
            curve = f"{made.coefficient_lps:.5g} L/s * (stage + {made.offset_m:g} m)"
            curve = f"{curve}^{made.exponent:.3f}"
        off = ", ".join(f"{100 * r:+.1f}" for r in self.residuals)
        return f"{curve}, U {self.u_percent:.1f} %, residuals {off} %"

    def complaints(self) -> list[str]:
        """Why it may not be used, in numbers; none when it may."""
        found = [
            f"at {1000 * p.stage_m:.0f} mm the fit says {p.lps * (1 + r):.2f} L/s and the gauging"
            f" {p.lps:.2f}: {r:+.1%}, at most {DEVICE:.0%}"
            for p, r in zip(self.points, self.residuals, strict=True)
            if abs(r) > DEVICE
        ]
        return found


def points_of(gaugings: Sequence[Gauging]) -> list[Point]:
    """Those that count and know their stage, by stage."""
    sound = [g for g in gaugings if not g.complaints() and g.stage_m is not None]
    found = [Point(g.stage_m or 0.0, g.lps(), g.u_lps() / g.lps() / 2.0) for g in sound]
    return sorted(enough(found), key=lambda p: p.stage_m)


def enough(points: Sequence[Point]) -> Sequence[Point]:
    """The same, when they are at two stages at least."""
    flows = [p.lps for p in points]
    if not flows or min(flows) > (1.0 - APART) * max(flows):
        raise ConfigError(
            "gaugings",
            f"sound ones with their stage, at {STAGES} stages whose flows are {APART:.0%} apart",
            ", ".join(f"{p.lps:.2f} L/s at {1000 * p.stage_m:.0f} mm" for p in points) or "none",
        )
    return points


def scale(points: Sequence[Point], of: Structure) -> Fit:
    """The structure that stands there, with its coefficient measured.

    >>> from kahriz_water.structures.v_notch import VNotch
    >>> plate = VNotch(90)
    >>> points = [Point(h, 1050.0 * plate.free_flow_m3s(h), 0.01) for h in (0.07, 0.15)]
    >>> scale(points, plate).words()
    'v_notch times 1.0500, U 2.4 %, residuals +0.0, +0.0 %'
    """
    if isinstance(of, Gauged):  # fitted before: the structure under it
        of = of.of
    outside = [p for p in points if of.discharge(p.stage_m, 0.0).lps is None]
    if outside:
        why = of.discharge(outside[0].stage_m, 0.0).why
        raise ConfigError("gaugings", f"stages in the valid range of {of.kind}", why)
    logs = [math.log(p.lps / (1000.0 * of.free_flow_m3s(p.stage_m))) for p in points]
    mean = _mean(logs, _weights(points))
    factor = round(math.exp(mean), 4)
    if not SCALE[0] <= factor <= SCALE[1]:
        raise ConfigError(
            "gaugings",
            f"{SCALE[0]} to {SCALE[1]} times what {of.kind} says: look at plate and zero, or fit"
            " a power law",
            f"{factor:.3f} times",
        )
    u = _u([x - mean for x in logs], points, 1) / math.sqrt(len(points))
    u_percent = _per_cent(math.hypot(u, U_SHARED))
    made = Gauged(of, factor, u_percent)
    off = _off(points, made)
    return Fit(made, tuple(points), off, u_percent, _zero(points, of, off))


def power(points: Sequence[Point], offset_m: float = 0.0, exponent: float | None = None) -> Fit:
    """A power law; without a given `exponent` it takes gaugings at three stages."""
    if exponent is None and len({round(p.stage_m, 3) for p in points}) < STAGES + 1:
        raise ConfigError(
            "gaugings", f"{STAGES + 1} stages for a free exponent, or --exponent", len(points)
        )
    if points[0].stage_m + offset_m <= 0:
        raise ConfigError("--offset-mm", "above minus the lowest stage", 1000 * offset_m)
    x = [math.log(p.stage_m + offset_m) for p in points]
    y = [math.log(p.lps) for p in points]
    weights = _weights(points)
    x_mean, y_mean = _mean(x, weights), _mean(y, weights)
    spread = sum(w * (a - x_mean) ** 2 for w, a in zip(weights, x, strict=True))
    slope = exponent
    if slope is None:
        both = zip(weights, x, y, strict=True)
        slope = sum(w * (a - x_mean) * (b - y_mean) for w, a, b in both) / spread
        if not EXPONENT[0] <= slope <= EXPONENT[1]:
            raise ConfigError("gaugings", f"a power from {EXPONENT[0]:g} to {EXPONENT[1]:g}", slope)
    slope = round(slope, 4)
    start = y_mean - slope * x_mean
    free = 1 if exponent is not None else 2
    s = _u([b - (start + slope * a) for a, b in zip(x, y, strict=True)], points, free)
    ends = max((a - x_mean) ** 2 for a in x) / spread if exponent is None else 0.0
    u = s * math.sqrt(1.0 / len(points) + ends)
    u_percent = _per_cent(math.hypot(u, U_SHARED))
    low_m, high_m = round(points[0].stage_m, 4), round(points[-1].stage_m, 4)
    factor = float(f"{math.exp(start):.6g}")
    made = PowerLaw(factor, round(offset_m, 4), u_percent, slope, low_m, high_m)
    return Fit(made, tuple(points), _off(points, made), u_percent)


def _weights(points: Sequence[Point]) -> list[float]:
    """Of each gauging, one on average."""
    found = [1.0 / p.u_ln**2 for p in points]
    return [w * len(found) / sum(found) for w in found]


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def _u(residuals: Sequence[float], points: Sequence[Point], parameters: int) -> float:
    """Standard uncertainty of one gauging: what the residuals show, at least its own."""
    own = math.sqrt(sum(p.u_ln**2 for p in points) / len(points))
    free = len(residuals) - parameters
    if free < 1:
        return own
    s = math.sqrt(sum(r * r for r in residuals) / free)
    student = STUDENT[min(free, len(STUDENT)) - 1]
    return max(own, s * student / 2.0)


def _per_cent(u: float) -> float:
    return min(50.0, max(1.0, round(200.0 * u, 1)))


def _off(points: Sequence[Point], made: Structure) -> tuple[float, ...]:
    return tuple(1000.0 * made.free_flow_m3s(p.stage_m) / p.lps - 1.0 for p in points)


def _zero(points: Sequence[Point], of: Structure, residuals: Sequence[float]) -> str:
    """The error of the stage that would explain the gaugings better than any coefficient."""

    def worst(shift_m: float) -> float:
        return max(
            abs(1000.0 * of.free_flow_m3s(max(p.stage_m + shift_m, 1e-4)) / p.lps - 1.0)
            for p in points
        )

    most_mm = round(1000 * ZERO_MOST_M)
    best_m = min((k / 10_000 for k in range(-10 * most_mm, 10 * most_mm + 1)), key=worst)
    if worst(best_m) > max(abs(r) for r in residuals) / 2 or abs(best_m) < ZERO_LEAST_M:
        return ""
    return (
        f"a stage that reads {-1000 * best_m:+.1f} mm wrong would explain them better (within"
        f" {worst(best_m):.1%}): look at the zero first"
    )
