# SPDX-License-Identifier: MIT
"""Zero and span of a 4-20 mA level sensor out of two known depths and the currents read there.

Two depths that lie close together, readings that differ among themselves, or a slope that the
sensor's data sheet does not allow are refused with the numbers: another sensor, shunt or unit is
then the likelier reason than a sensor that has moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kahriz_water import pool
from kahriz_water.deployment import Deployment
from kahriz_water.records import U_ZERO_M, Zero
from kahriz_water.strict import ConfigError

LEAST = 3  # readings at each depth
LEAST_PART = 0.4  # of the span between the depths: nearer, the sensor's own bend tilts the line
APART_M = 0.010  # between readings at one depth: more, and the water or the cable was moving
MOST_MA = 16.0  # between 4 and 20 mA


@dataclass(frozen=True, slots=True)
class Depth:
    """One known depth: the mean of the currents there, and its standard uncertainty as a depth."""

    depth_m: float
    mean_ma: float
    u_m: float
    readings: int

    def words(self) -> str:
        return f"{self.depth_m:.3f} m: {self.mean_ma:.3f} mA ({self.readings} readings)"


def calibrated(
    at: Deployment | None,
    reads: Sequence[tuple[float, float]],
    who: str,
    from_ms: int,
    hangs_m: float | None = None,
) -> Zero:
    """Zero and span from (depth in metres, mA) pairs; ConfigError when they are not to be had.

    Depths are levels on the staff gauge; with `hangs_m` they are those of the sensor itself,
    raised on its cable, and it hangs so high over the staff gauge's zero now.
    """
    if at is None or at.span_m is None:
        raise ConfigError("--point", "a point whose sensor is 4-20 mA, with span_m in its record")
    if not who.strip():
        raise ConfigError("--who", "a name: somebody answers for it")
    low, high = _two(reads, at.span_m)
    apart_m = high.depth_m - low.depth_m
    if apart_m < LEAST_PART * at.span_m:
        raise ConfigError(
            "--read",
            f"two depths at least {LEAST_PART * at.span_m:.2f} m apart, {LEAST_PART:.0%} of the"
            f" sensor's {at.span_m:g} m",
            f"{apart_m:.3f} m",
        )
    span_m = MOST_MA * apart_m / (high.mean_ma - low.mean_ma) if _rises(low, high) else 0.0
    own_m = math.sqrt(2) * pool.U_SPAN * at.span_m
    u_span_m = at.span_m / apart_m * math.hypot(low.u_m, high.u_m, own_m)
    if abs(span_m - at.span_m) > 2.0 * u_span_m:
        said = (
            f"{span_m:.3f} m ({span_m / at.span_m - 1:+.1%})" if span_m else "a current that falls"
        )
        raise ConfigError(
            "--read",
            f"a slope of {at.span_m:g} m for 16 mA within {2.0 * u_span_m / at.span_m:.1%}, as its"
            " data sheet and these depths allow (another range or shunt? centimetres?)",
            f"{said} from {low.words()}, {high.words()}",
        )
    pivot_ma = (low.mean_ma + high.mean_ma) / 2.0
    u_m = max(low.u_m, high.u_m)
    at_4_ma = low.depth_m - (low.mean_ma - 4.0) / MOST_MA * span_m
    if hangs_m is not None:
        away_m = pool.u_away_m(4.0, pivot_ma, u_span_m)
        most_m = 2.0 * math.hypot(u_m, away_m, pool.U_SPAN * at.span_m)
        if abs(at_4_ma) > most_m:
            raise ConfigError(
                "--read",
                f"4 mA within {1000 * most_m:.0f} mm of the water's surface (is the depth that of"
                " its membrane? is it vented, not absolute?)",
                f"{1000 * at_4_ma:+.0f} mm",
            )
    zero_m = at_4_ma + (hangs_m or 0.0)
    moved = "" if at.zero_m is None else f"; deployed with {at.zero_m:.3f} m and {at.span_m:g} m"
    hung = "" if hangs_m is None else f", raised on its cable, hangs at {hangs_m:.3f} m"
    return Zero(
        node=at.node,
        channel=at.channel,
        from_ms=from_ms,
        zero_m=round(zero_m, 4) + 0.0,  # never -0.0
        u_m=round(u_m, 4),
        who=who,
        note=f"two depths{hung}: {low.words()}, {high.words()}{moved}",
        span_m=round(span_m, 4),
        u_span_m=round(u_span_m, 4),
        pivot_ma=round(pivot_ma, 3),
    )


def _rises(low: Depth, high: Depth) -> bool:
    return high.mean_ma - low.mean_ma > 0.01


def _two(reads: Sequence[tuple[float, float]], span_m: float) -> tuple[Depth, Depth]:
    """The two depths, the lower first, each from readings that agree."""
    grouped: dict[float, list[float]] = {}
    for depth_m, current_ma in reads:
        if not math.isfinite(depth_m) or not -1.0 <= depth_m <= 50.0:
            raise ConfigError("--read", "a depth from -1 to 50 m", depth_m)
        if not math.isfinite(current_ma) or pool.current_q(current_ma) != 1:
            raise ConfigError("--read", "a current from 3.8 to 20.5 mA", current_ma)
        grouped.setdefault(depth_m, []).append(current_ma)
    if len(grouped) != 2:
        said = ", ".join(f"{depth:g} m" for depth in sorted(grouped)) or "none"
        raise ConfigError("--read", "two depths, each with its readings", said)
    for depth_m, currents in grouped.items():
        if len(currents) < LEAST:
            raise ConfigError("--read", f"{LEAST} readings at {depth_m:g} m or more", len(currents))
        apart_m = (max(currents) - min(currents)) / MOST_MA * span_m
        if apart_m > APART_M:
            raise ConfigError(
                "--read",
                f"readings within {1000 * APART_M:.0f} mm of each other at {depth_m:g} m (wait"
                " until water and cable rest)",
                f"{1000 * apart_m:.0f} mm",
            )
    low, high = (_depth(depth, grouped[depth], span_m) for depth in sorted(grouped))
    return low, high


def _depth(depth_m: float, currents: list[float], span_m: float) -> Depth:
    mean = sum(currents) / len(currents)
    s = math.sqrt(sum((x - mean) ** 2 for x in currents) / (len(currents) - 1))
    u_m = math.hypot(U_ZERO_M, s / math.sqrt(len(currents)) / MOST_MA * span_m)
    return Depth(depth_m, mean, u_m, len(currents))
