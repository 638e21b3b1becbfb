# SPDX-License-Identifier: MIT
"""A leak in a tap network: more is used than at such hours of such days, and it stays.

    use = inflows - outflows - dV/dt        r(h) = use - expected(hour of the week)
    block of six hours: mean of r weighted by s(h)^-3, then `Moved` at 1, 3 and 10 days

A leak adds the same to every hour, so the surest hours, those of the night, count most. After an
alarm the new level is the usual one, so that the next leak is seen; a step down is a repair.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.glr import A_DAY, Moved, Z
from kahriz_detect.numbers.profile import Profile
from kahriz_detect.site import Pool, Site, Zone
from kahriz_water.holidays import Holidays

HOUR_MS = 3_600_000
BLOCK_HOURS = 24 // A_DAY
FORGETS_HOURS = 10 * 24  # nothing is held against what was before such a gap
LEARN_DAYS = 8.0
LEAST_SHARE = 0.006  # of the mean use: less than this nobody can tell from people
SMALLEST_SHARE = 0.02  # of the mean use, to be called a leak
AGAIN = 1.4  # times the limit: not the growth of what has been found
SETTLES_BLOCKS = 4 * A_DAY  # a leak that has just been found still grows


class Use(Detector):
    """The use of one zone.

    Parameters
    ----------
    zone : inflows, outflows and stores.
    step_s : length of a frame.
    holidays : days that are lived like a Sunday.

    Examples
    --------
    >>> use = Use(Zone("village", "village", ("meter",)), step_s=3600)
    >>> use.name, use.step(Frame(1, 3_600_000, {"meter": 2.0}))
    ('use:village', [])

    References
    ----------
    Bakker et al.: Heuristic burst detection method using flow and pressure measurements,
    J. Hydroinformatics 16(5), 2014; Wu, Liu: A review of data-driven approaches for burst
    detection in water distribution systems, Urban Water J. 14(9), 2017.
    """

    kinds = ("leak",)

    def __init__(self, zone: Zone, step_s: int, holidays: Iterable[str] = ()) -> None:
        if step_s <= 0:
            raise ValueError("step_s must be positive")
        self.zone, self.step_s = zone, step_s
        self.holidays = Holidays(holidays)
        self.profile = Profile()
        self.moved = Moved()
        self.hour: int | None = None
        self.sum, self.count = 0.0, 0  # of the hour that is being filled
        self.block: list[tuple[float, float]] = []  # use without its shape, and weight
        self.volumes: tuple[int, float] | None = None
        self.extra = 0.0  # L/s beyond the normal that are known
        self.open: float | None = None  # the extra before the leak that is open
        self.settles, self.side = 0, 1

    @property
    def name(self) -> str:
        return f"use:{self.zone.id}"

    def step(self, frame: Frame) -> list[Finding]:
        hour = (frame.ts - 1) // HOUR_MS
        found: list[Finding] = []
        if self.hour is not None and hour > self.hour:
            self._close_hour(self.hour)
            if hour - self.hour > FORGETS_HOURS:
                self.block, self.moved.blocks = [], []
            elif hour // BLOCK_HOURS > self.hour // BLOCK_HOURS:
                found = self._close_block(frame.ts)
        self.hour = hour
        use = self._use(frame)
        if use is not None:
            self.sum += use
            self.count += 1
        return found

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

    def _close_hour(self, hour: int) -> None:
        profile, slot = self.profile, self.holidays.slot(hour)
        if self.count * self.step_s >= 1800:
            use = self.sum / self.count
            if profile.days >= LEARN_DAYS:
                self.block.append((use - profile.expected(slot), profile.weight(slot)))
            profile.learn(slot, use)
        self.sum, self.count = 0.0, 0

    def _close_block(self, now_ms: int) -> list[Finding]:
        block, self.block = self.block, []
        if len(block) < BLOCK_HOURS / 2:
            return []
        profile, moved = self.profile, self.moved
        usual = profile.total / 24.0  # weight of a mean hour
        weight = sum(w for _, w in block)
        mean = sum(r * w for r, w in block) / weight
        moved.least = LEAST_SHARE * abs(profile.level)
        days, far, z = moved.add(mean, weight / usual / BLOCK_HOURS, not self.settles)
        limit = Z.get(days, 1.0)
        if self.settles:
            self.settles -= 1
            same = (far > 0) == (self.side > 0)
            if days and same and abs(z) < AGAIN * limit:
                if abs(z) > 0.5 * limit:
                    self._take(far, days)
                return []
        if abs(z) < limit or abs(far) < SMALLEST_SHARE * abs(profile.level):
            return []
        return self._rings(days, far, z, now_ms)

    def _take(self, far: float, days: int) -> None:
        self.moved.rebase(far, days)
        self.extra += far

    def _rings(self, days: int, far: float, z: float, now_ms: int) -> list[Finding]:
        place, found = self.zone.place, []
        before = self.extra
        self._take(far, days)
        self.side = 1 if far > 0 else -1
        self.settles = SETTLES_BLOCKS
        u = abs(far / z)
        evidence: dict[str, float | str] = {
            "days": float(days),
            "scatters": z,
            "usual_lps": self.profile.level,
            "since_ms": float(now_ms - days * 24 * HOUR_MS),
        }
        if far < 0:
            if self.open is not None and self.extra < self.open + 0.5 * abs(far):
                self.open = None
                found.append(Finding(CLEARED, "leak", place, now_ms, far, u, evidence=evidence))
            return found
        found.append(Finding(CLEARED, "leak", place, now_ms, evidence={"followed_by": "another"}))
        found.append(Finding(RAISED, "leak", place, now_ms, far, u, None, evidence))
        self.open = before
        return found

    def dump(self) -> Any:
        return {
            "profile": self.profile.dump(),
            "moved": self.moved.dump(),
            "hour": [self.hour, self.sum, self.count],
            "block": [list(b) for b in self.block],
            "volumes": self.volumes,
            "numbers": [self.extra, self.open, self.settles, self.side],
        }

    def load(self, state: Any) -> None:
        self.profile.load(state["profile"])
        self.moved.load(state["moved"])
        self.hour, self.sum, self.count = state["hour"]
        self.block = [(r, w) for r, w in state["block"]]
        volumes = state["volumes"]
        self.volumes = None if volumes is None else (int(volumes[0]), float(volumes[1]))
        self.extra, self.open, self.settles, self.side = state["numbers"]


def uses(site: Site) -> list[Detector]:
    """One for each tap network."""
    return [Use(zone, site.step_s, site.holidays) for zone in site.zones if zone.taps]


def _volume(pool: Pool, level: float) -> float:
    table = pool.level_volume
    for (low, v_low), (high, v_high) in pairwise(table):
        if level <= high:
            return v_low + (v_high - v_low) * (level - low) / (high - low)
    return table[-1][1] if table else 0.0
