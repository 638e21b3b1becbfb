# SPDX-License-Identifier: MIT
"""What a zone uses, hour by hour: inflows - outflows - what its stores gained."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from kahriz_detect.frame import Frame
from kahriz_detect.site import Pool, Zone

HOUR_MS = 3_600_000
LEAST_S = 1800  # of an hour that must be known


class Hours:
    """Means of the hours of one zone.

    Examples
    --------
    >>> hours = Hours(Zone("village", "village", ("meter",)), step_s=1800)
    >>> [hours.step(Frame(n, n * 1_800_000, {"meter": float(n)})) for n in (1, 2, 3)]
    [None, None, (0, 1.5)]
    """

    def __init__(self, zone: Zone, step_s: int) -> None:
        self.zone, self.step_s = zone, step_s
        self.hour: int | None = None  # that is being filled
        self.sum, self.count = 0.0, 0
        self.volumes: tuple[int, float] | None = None
        self.feeds = [0.0, 0.0, 0.0]  # sums of the first feed, of all feeds, of what is passed on
        self.fed: tuple[float, ...] | None = None  # means of the hour that is over

    def step(self, frame: Frame) -> tuple[int, float | None] | None:
        """The hour that is over, and its use where enough of it is known."""
        hour = (frame.ts - 1) // HOUR_MS
        over: tuple[int, float | None] | None = None
        if self.hour is not None and hour > self.hour:
            known = self.count * self.step_s >= LEAST_S
            over = self.hour, self.sum / self.count if known else None
            many = known and len(self.zone.inflows) > 1
            self.fed = tuple(total / self.count for total in self.feeds) if many else None
            self.sum, self.count, self.feeds = 0.0, 0, [0.0, 0.0, 0.0]
        self.hour = hour
        use = self._use(frame)
        if use is not None:
            self.sum += use
            self.count += 1
            if len(self.zone.inflows) > 1:
                self._feed(frame)
        return over

    def _use(self, frame: Frame) -> float | None:
        total, zone = 0.0, self.zone
        for keys, sign in ((zone.inflows, 1.0), (zone.outflows, -1.0)):
            for key in keys:
                value = frame.get(key)
                if value is None:
                    return None
                total += sign * value
        if not zone.stores:
            return total
        levels = [frame.get(p.level) for p in zone.stores]
        before, self.volumes = self.volumes, None
        if any(v is None for v in levels):
            return None
        now = sum(_volume(p, v) for p, v in zip(zone.stores, levels, strict=True) if v is not None)
        self.volumes = (frame.number, now)
        if before is None or before[0] != frame.number - 1:
            return None
        return total - 1000.0 * (now - before[1]) / self.step_s

    def _feed(self, frame: Frame) -> None:
        values = [frame.values[key] for key in self.zone.inflows]
        passed = sum(frame.values[key] for key in self.zone.outflows)
        self.feeds = [
            total + value
            for total, value in zip(self.feeds, (values[0], sum(values), passed), strict=True)
        ]

    def dump(self) -> Any:
        return [self.hour, self.sum, self.count, self.volumes, self.feeds]

    def load(self, state: Any) -> None:
        self.hour, self.sum, self.count, volumes, *feeds = state
        self.feeds = list(feeds[0]) if feeds else [0.0, 0.0, 0.0]
        self.volumes = None if volumes is None else (int(volumes[0]), float(volumes[1]))


def _volume(pool: Pool, level: float) -> float:
    table = pool.level_volume
    for (low, v_low), (high, v_high) in pairwise(table):
        if level <= high:
            return v_low + (v_high - v_low) * (level - low) / (high - low)
    return table[-1][1] if table else 0.0
