# SPDX-License-Identifier: MIT
"""What has a date beside the deployments: zeros, ratings, readings of the staff gauge."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kahriz_water.deployment import Deployment
from kahriz_water.site import Point
from kahriz_water.structures import Structure

U_ZERO_M = 0.002  # standard: a zero taken with a hook gauge or a level, on site
U_UNCHECKED_M = 0.003  # standard: nobody has compared with the staff gauge; A02YYUW drifts so much
U_STAFF_READ_M = 0.001  # standard: a staff gauge with centimetres, read to 2 mm
CHECKS = 5  # the last so many readings of the staff gauge tell how well a sensor agrees


@dataclass(frozen=True, slots=True)
class Zero:
    """A zero taken anew: from now on the channel has this one instead of its deployment's.

    A 4-20 mA sensor calibrated at two depths has its `span_m` anew too. `u_m` is then the standard
    uncertainty at `pivot_ma`, between the two; away from it that of the span comes in.
    """

    node: str
    channel: str
    from_ms: int
    zero_m: float
    u_m: float = U_ZERO_M
    who: str = ""
    note: str = ""
    span_m: float | None = None
    u_span_m: float | None = None
    pivot_ma: float | None = None


@dataclass(frozen=True, slots=True)
class DatedRating:
    """The structure of a point from a day on, instead of the plan's, with who says so."""

    point: str
    from_ms: int
    to_ms: int | None
    structure: Structure
    author: str
    gaugings: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class StaffReading:
    """A stage read by a person; `computed_m` is what the sensor said then, with its zero then."""

    point: str
    at: int
    staff_m: float
    who: str
    photo: str = ""
    note: str = ""
    computed_m: float | None = None
    zero_m: float | None = None

    def offset_m(self, zero_now_m: float | None) -> float | None:
        """Staff minus sensor, had the sensor had today's zero."""
        if self.computed_m is None:
            return None
        moved = 0.0
        if zero_now_m is not None and self.zero_m is not None:
            moved = zero_now_m - self.zero_m
        return self.staff_m - (self.computed_m + moved)


@dataclass(frozen=True, slots=True)
class Records:
    """All dated records that a value depends on."""

    deployments: tuple[Deployment, ...] = ()
    zeros: tuple[Zero, ...] = ()
    ratings: tuple[DatedRating, ...] = ()
    staff: tuple[StaffReading, ...] = ()
    _checks: Mapping[str, list[StaffReading]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checks: dict[str, list[StaffReading]] = {}
        for reading in sorted(self.staff, key=lambda s: s.at):
            if reading.computed_m is not None:
                checks.setdefault(reading.point, []).append(reading)
        object.__setattr__(self, "_checks", checks)

    def turns(self) -> list[int]:
        """Every moment at which something else may hold than before it, rising."""
        found = {z.from_ms for z in self.zeros} | {s.at for s in self.staff}
        found |= {d.from_ms for d in self.deployments} | {r.from_ms for r in self.ratings}
        ends = [*(d.to_ms for d in self.deployments), *(r.to_ms for r in self.ratings)]
        return sorted(found | {end for end in ends if end is not None})

    def zero_at(self, at: Deployment, ts_ms: int) -> Zero | None:
        """The zero of a channel at a moment; a new deployment begins without the old one's.

        A zero that says nothing of the span leaves it as it was calibrated before.
        """
        if at.zero_m is None:
            return None
        own = Zero(at.node, at.channel, at.from_ms, at.zero_m, span_m=at.span_m)
        later = [
            z
            for z in self.zeros
            if (z.node, z.channel) == (at.node, at.channel) and at.from_ms <= z.from_ms <= ts_ms
        ]
        newest = max([own, *later], key=lambda z: z.from_ms)
        if newest.span_m is not None:
            return newest
        span = max(
            (z for z in [own, *later] if z.span_m is not None),
            key=lambda z: z.from_ms,
            default=own,
        )
        return replace(newest, span_m=span.span_m, u_span_m=span.u_span_m, pivot_ma=span.pivot_ma)

    def rating_at(self, point: str, ts_ms: int) -> DatedRating | None:
        fitting = [
            r
            for r in self.ratings
            if r.point == point and r.from_ms <= ts_ms and (r.to_ms is None or ts_ms < r.to_ms)
        ]
        return max(fitting, key=lambda r: r.from_ms, default=None)

    def structure_at(self, point: Point, ts_ms: int) -> Structure | None:
        dated = self.rating_at(point.id, ts_ms)
        return point.structure if dated is None else dated.structure

    def u_staff_m(self, point: str, zero: Zero, ts_ms: int) -> float:
        """How far sensor and staff gauge were apart lately, since the zero; standard."""
        checks = self._checks.get(point, [])
        last = bisect.bisect_right(checks, ts_ms, key=lambda s: s.at)
        offsets = [
            offset
            for s in checks[max(0, last - CHECKS) : last]
            if s.at >= zero.from_ms and (offset := s.offset_m(zero.zero_m)) is not None
        ]
        if not offsets:
            return U_UNCHECKED_M
        rms = math.sqrt(sum(o * o for o in offsets) / len(offsets))
        return max(rms, U_STAFF_READ_M)
