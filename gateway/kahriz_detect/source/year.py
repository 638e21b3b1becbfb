# SPDX-License-Identifier: MIT
"""A source held against the same weeks of last year: decline with its confidence.

    d(w) = ln median Q(week w) - ln median Q(week w - 52)
    raised when the mean of the last weeks' d lies below -limit with 95 % confidence

The season drops out by itself, whatever its shape. Weeks resemble their neighbours, so the
confidence is that of fewer weeks than there are (first-order autocorrelation).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median
from kahriz_detect.site import Site

WEEK_MS = 7 * 86_400_000
YEAR = 52  # weeks
WEEKS, FEWEST = 12, 8  # that are compared
LEAST_LPS = 0.05
# Student's t, one-sided 95 %, for 2 to 12 degrees of freedom
T95 = (2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782)
LEAST_U = 0.01  # two gaugings a year apart differ by as much


class YearOnYear(Detector):
    """Decline of one source over a year.

    Parameters
    ----------
    place, outlet : the source and the flow at its mouth.
    share : decline within a year that is told.
    step_s : length of a frame; one an hour is looked at.

    Examples
    --------
    >>> source = YearOnYear("gallery", "outlet", step_s=86_400)
    >>> found = []
    >>> for day in range(2 * 365):
    ...     season = 1.0 + 0.2 * math.sin(2 * math.pi * day / 364.0)
    ...     lps = 12.0 * season * (0.9 if day >= 400 else 1.0)
    ...     found += source.step(Frame(day, day * 86_400_000, {"outlet": lps}))
    >>> [(f.kind, f.place, round(f.evidence["a_year_pct"])) for f in found]
    [('decline:year', 'gallery', -9)]

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6; Bayley, Hammersley (1946), The
    effective number of independent observations, J. R. Stat. Soc. 8.
    """

    kinds = ("decline:year",)

    def __init__(self, place: str, outlet: str, share: float = 0.05, step_s: float = 600.0) -> None:
        if not 0 < share < 1 or step_s <= 0:
            raise ValueError("share is a part of one, step_s positive")
        self.every = max(1, round(3600.0 / step_s))
        self.place, self.outlet, self.limit = place, outlet, -math.log(1.0 - share)
        self.week: int | None = None
        self.day: int | None = None
        self.today: list[float] = []
        self.daily: list[float] = []  # medians of this week's days
        self.weeks: dict[int, float] = {}
        self.open = False

    @property
    def name(self) -> str:
        return f"year:{self.outlet}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a bound is not compared with a value."""
        if frame.number % self.every:
            return []
        found: list[Finding] = []
        day = frame.ts // 86_400_000
        if day != self.day:
            if self.today:
                self.daily.append(median(self.today))
            self.day, self.today = day, []
            week = frame.ts // WEEK_MS
            if week != self.week:
                if self.week is not None:
                    found = self._close(self.week)
                self.week, self.daily = week, []
        value = frame.get(self.outlet)
        if value is not None and value > LEAST_LPS:
            self.today.append(value)
        return found

    def _close(self, week: int) -> list[Finding]:
        if len(self.daily) >= 4:
            self.weeks[week] = math.log(median(self.daily))
        self.weeks = {w: v for w, v in self.weeks.items() if w > week - YEAR - WEEKS}
        d = self._moved(week)
        if len(d) < FEWEST:
            return []
        mean, u = confidence(d)
        declines = mean + u < -self.limit
        over = mean > -0.5 * self.limit
        if self.open == declines or (self.open and not over):
            return []
        self.open = not self.open
        evidence: dict[str, float | str] = {
            "a_year_pct": round(100.0 * math.expm1(mean), 1),
            "from_pct": round(100.0 * math.expm1(mean - u), 1),
            "to_pct": round(100.0 * math.expm1(mean + u), 1),
            "weeks": float(len(d)),
        }
        what = RAISED if self.open else CLEARED
        ts = (week + 1) * WEEK_MS
        return [Finding(what, "decline:year", self.place, ts, evidence=evidence)]

    def _moved(self, week: int) -> list[float]:
        """The last weeks beside those of last year."""
        return [
            self.weeks[w] - self.weeks[w - YEAR]
            for w in range(week - WEEKS + 1, week + 1)
            if w in self.weeks and w - YEAR in self.weeks
        ]

    def dismiss(self, kind: str, place: str) -> None:
        """What fell is usual: last year is held against it as if it had been so then."""
        if not self.open or (kind, place) != (self.kinds[0], self.place):
            return
        self.open, newest = False, max(self.weeks)
        d = self._moved(newest)
        fell = sum(d) / len(d) if d else 0.0
        self.weeks = {w: v + fell * (w <= newest - WEEKS) for w, v in self.weeks.items()}

    def dump(self) -> Any:
        own = [self.week, self.day, self.open]
        return [own, self.today, self.daily, [[w, v] for w, v in self.weeks.items()]]

    def load(self, state: Any) -> None:
        (self.week, self.day, self.open), today, daily, weeks = state
        self.today, self.daily = list(today), list(daily)
        self.weeks = {int(w): float(v) for w, v in weeks}


def confidence(d: list[float]) -> tuple[float, float]:
    """Mean, and the half width of its one-sided 95 %.

    >>> mean, u = confidence([-0.1, -0.12, -0.08, -0.11, -0.09, -0.1, -0.1, -0.1])
    >>> round(mean, 3), 0.01 < u < 0.03
    (-0.1, True)
    """
    n = len(d)
    mean = sum(d) / n
    off = [x - mean for x in d]
    total = sum(x * x for x in off)
    after = sum(a * b for a, b in pairwise(off)) / total if total else 0.0
    phi = min(0.9, max(0.0, after))
    alone = max(3.0, n * (1.0 - phi) / (1.0 + phi))
    t = T95[min(len(T95), max(2, round(alone) - 1)) - 2]
    return mean, t * math.hypot(math.sqrt(total / (n - 1) / alone), LEAST_U)


def years(site: Site) -> list[Detector]:
    """One for each source."""
    return [YearOnYear(s.place, s.outlet, step_s=site.step_s) for s in site.sources]
