# SPDX-License-Identifier: MIT
"""A leak in a tap network: more is used than at such hours of such days, and it stays.

    use = inflows - outflows - dV/dt        r(h) = use - expected(hour of the week)
    nights: minimum night flow by weekday class, `Nights` over two and three of them
    hours: block of six hours, mean of r weighted by s(h)^-3, then `Moved` at 1, 3 and 10 days
    steps: where a zone has several feeds, use and share of the first, `Steps` of 2 to 24 hours

All run side by side. Hours hear from the second week on; once two months of nights are known
these hear less loud leaks, and of the hours only what is plain (ALONE) rings at once. After an
alarm the new level is the usual one for all, so that the next leak is seen; a step down is a
repair. What grew slowly for GROWS_HOURS since an alarm is the leak that was told.

Hours without water, and those in which people make up for them, say nothing (`outage`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.glr import A_DAY, Moved, Z
from kahriz_detect.numbers.nights import Window
from kahriz_detect.numbers.profile import Profile
from kahriz_detect.numbers.steps import LONG_H, Step
from kahriz_detect.site import Site, Zone
from kahriz_detect.use.hours import HOUR_MS, Hours
from kahriz_detect.use.night import NightFlow
from kahriz_detect.use.outage import Outage
from kahriz_detect.use.sudden import Sudden
from kahriz_water.holidays import Holidays

BLOCK_HOURS = 24 // A_DAY
FORGETS_HOURS = 10 * 24  # nothing is held against what was before such a gap
LEARN_DAYS = 8.0
NIGHT_DAYS = 2.0  # until the quietest hours are known
LEAST_SHARE = 0.006  # of the mean use: less than this nobody can tell from people
SMALLEST_SHARE, SMALLEST_AT_NIGHT = 0.02, 0.04  # of the mean use, to be called a leak
AGAIN = 1.4  # times the limit: not the growth of what has been found
ALONE = 3.5  # times the limit of the hours, once the nights are known and hear more
SECOND_SHARE = 0.5  # nor a small part of it
NEAR_DAYS = 3  # a window of `Moved` that the nights' finding fills
GROWS_HOURS = 10 * 24  # after an alarm: what grew slowly since then is the same leak
FOLLOWS_HOURS = 40 * 24  # the same, where the share has the same sign
TELLING_NIGHTS = 3  # the first of them may be cut in two
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
        self.hours = Hours(zone, step_s)
        self.night = NightFlow()
        self.outage = Outage()
        self.sudden = Sudden()
        self.last_share: tuple[int, float] | None = None  # hour and share of the last step
        self.block: list[tuple[float, float]] = []  # use without its shape, and weight
        self.extra = 0.0  # L/s beyond the normal that are known
        self.open: float | None = None  # the extra before the leak that is open
        self.settles, self.side = 0, 1
        self.rang = -GROWS_HOURS  # the hour of the last alarm
        self.unsure = 0  # nights that are still to tell how large the last step was
        self.told = 0.0  # L/s of what was found last

    @property
    def name(self) -> str:
        return f"use:{self.zone.id}"

    def step(self, frame: Frame) -> list[Finding]:
        over = self.hours.step(frame)
        if over is None:
            return []
        hour, use = over
        now = self.hours.hour
        assert now is not None
        found = [] if use is None else self._close_hour(hour, use, frame.ts)
        if now - hour > FORGETS_HOURS:
            self.block, self.moved.blocks = [], []
            self.sudden.steps.forget()
            self.night.nights.forget()
        elif now // BLOCK_HOURS > hour // BLOCK_HOURS:
            found += self._close_block(frame.ts)
        return found

    def _close_hour(self, hour: int, use: float, now_ms: int) -> list[Finding]:
        profile, slot = self.profile, self.holidays.slot(hour)
        usual = profile.near + profile.expected(slot)
        if profile.days >= LEARN_DAYS and self.outage.explains(hour, use, usual):
            return []
        if profile.days >= LEARN_DAYS:
            self.block.append((use - profile.expected(slot), profile.weight(slot)))
        fed = self.hours.fed
        step = None if fed is None else self.sudden.hour(slot, use, profile, fed, not self.settles)
        profile.learn(slot, use)
        if profile.days < NIGHT_DAYS:
            return []
        night = self.night
        best = night.hour(hour, slot // 24, use, profile.hour, not self.settles)
        if night.over and self.unsure:
            best = None
            self.unsure -= 1
            if not self.unsure:
                night.nights.agree()
        found = [] if step is None else self._steps(hour, step, now_ms)
        if found or best is None:
            return found
        window, far, z = best
        if window.gap and self._same(far) and hour - self.rang < GROWS_HOURS:
            self.night.nights.rebase(far, window)
            return []
        if self._is_news(far, z, window.z, SMALLEST_AT_NIGHT):
            return self._rings(window.nights + window.gap, far, z, window.z, now_ms, window)
        if self.settles and self._same(far):
            self.night.nights.rebase(far, window)
        return []

    def _close_block(self, now_ms: int) -> list[Finding]:
        block, self.block = self.block, []
        if len(block) < BLOCK_HOURS / 2:
            return []
        profile, moved = self.profile, self.moved
        usual = profile.total / 24.0  # weight of a mean hour
        weight = sum(w for _, w in block)
        mean = sum(r * w for r, w in block) / weight
        moved.least = LEAST_SHARE * abs(profile.level)
        share = weight / usual / BLOCK_HOURS
        days, far, z = moved.add(mean, share, not self.settles, self.night.explains)
        limit = Z.get(days, 1.0) * (ALONE if self.night.nights.mature else 1.0)
        rings = self._is_news(far, z, limit, SMALLEST_SHARE)
        absorbs = self.settles and days and self._same(far)
        self.settles = max(0, self.settles - 1)
        if rings:
            return self._rings(days, far, z, limit, now_ms)
        if absorbs:
            moved.rebase(far, days)
        return []

    def _steps(self, hour: int, step: Step, now_ms: int) -> list[Finding]:
        """A step that is no growth of the last one."""
        far, span = step.lps, step.span
        z = max(step.leak, step.repair)
        share = step.share if abs(step.z_share) > 3.0 else 0.0
        last = self.last_share
        if step.side == 0:
            opposite = last is not None and last[1] * share < 0.0
            far = -abs(far) if opposite else abs(far)
        grows = last is not None and hour - last[0] < FOLLOWS_HOURS and last[1] * step.share > 0.0
        if grows and span.hours >= LONG_H and far > 0:
            self.sudden.steps.rebase(step.use, step.share, span.hours)
            return []
        if not self._is_news(far, z, span.z, SMALLEST_SHARE):
            return []
        if far > 0:
            self.last_share = hour, share
        return self._rings(span.hours // 24, far, z, span.z, now_ms, None, step)

    def _same(self, far: float) -> bool:
        return (far > 0) == (self.side > 0)

    def _is_news(self, far: float, z: float, limit: float, share: float) -> bool:
        """Far enough, and not the growth of what has just been found."""
        least = share * abs(self.profile.level)
        if self.settles and self._same(far):
            limit, least = AGAIN * limit, max(least, SECOND_SHARE * abs(self.told))
        return abs(z) >= limit and abs(far) >= least

    def _rings(
        self,
        days: int,
        far: float,
        z: float,
        limit: float,
        now_ms: int,
        window: Window | None = None,
        step: Step | None = None,
    ) -> list[Finding]:
        place, found = self.zone.place, []
        before = self.extra
        self.extra += far
        self.told = far
        since_h = 24 * days
        if step is not None:
            self.unsure = TELLING_NIGHTS
            self.sudden.steps.rebase(step.use, step.share, step.span.hours)
            self.moved.rebase(far, days)
            self.night.nights.rebase(far, Window(days, 0, 0, 0.0))
            since_h = step.span.hours
        elif window is None:
            self.sudden.steps.settle(24 * days, 0)
            self.moved.rebase(far, days)
            self.night.nights.rebase(far, Window(days, 0, 0, 0.0))
        else:
            self.sudden.steps.settle(24 * window.nights, 24 * window.gap)
            self.night.nights.rebase(far, window)
            self.moved.rebase(self.moved.far(NEAR_DAYS) or 0.0, NEAR_DAYS)
        self.side = 1 if far > 0 else -1
        self.settles = SETTLES_BLOCKS
        self.rang = (now_ms - 1) // HOUR_MS
        u = abs(far / z)
        evidence: dict[str, float | str] = {
            "days": float(days),
            "scatters": z,
            "limit_scatters": limit,
            "heard_by": "steps" if step is not None else "hours" if window is None else "nights",
            "usual_lps": self.profile.level,
            "since_ms": float(now_ms - since_h * HOUR_MS),
        }
        if step is not None:
            evidence |= {"hours": float(step.span.hours), "share_lps": step.share}
            evidence |= {"scatters_use": step.z_use, "scatters_share": step.z_share}
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
            "hours": self.hours.dump(),
            "night": self.night.dump(),
            "outage": self.outage.dump(),
            "sudden": [self.sudden.dump(), self.last_share, self.rang, self.unsure],
            "block": [list(b) for b in self.block],
            "numbers": [self.extra, self.open, self.settles, self.side, self.told],
        }

    def load(self, state: Any) -> None:
        if "hours" not in state:  # of a version without nights: learned anew
            return
        self.profile.load(state["profile"])
        self.moved.load(state["moved"])
        self.hours.load(state["hours"])
        self.night.load(state["night"])
        if "outage" in state:
            self.outage.load(state["outage"])
        if "sudden" in state:
            sudden, last, self.rang, self.unsure = state["sudden"]
            self.sudden.load(sudden)
            self.last_share = None if last is None else (int(last[0]), float(last[1]))
        self.block = [(r, w) for r, w in state["block"]]
        self.extra, self.open, self.settles, self.side, self.told = state["numbers"]


def uses(site: Site) -> list[Detector]:
    """One for each tap network."""
    return [Use(zone, site.step_s, site.holidays) for zone in site.zones if zone.taps]
