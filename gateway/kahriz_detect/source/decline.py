# SPDX-License-Identifier: MIT
"""A source that fails slowly: its low water falls further than the season explains.

    y(d) = ln(median Q of day d) - season(d),   season = A cos(2 pi (d - peak) / year)
    D    = low of the last week - lower fifth of the lows of the two months before a fortnight ago

Storms only add water, so lows are compared with lows. A collapse or a blockage falls within
days: such days are left out until the water is back, and a step that stays is no trend.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.site import Site

DAY_MS, YEAR_DAYS = 86_400_000, 365.2425
PEAK_DAY = 165  # of the year; snow and spring rain have come through by the middle of June
NOW, BACK, KEEP = 7, 14, 74  # days: what is now, how far back its reference ends, and begins
LOW = 0.2  # share of the days below what is called their low
LEAST_DAYS = 4  # in a week
FIRST_DAYS = 30  # before that nothing is said
STEP, RETURN = 0.03, 0.04  # ln, below the low of a week in one day: no drought does that
STEP_DAYS = 20.0  # then the step is the new normal
PERSIST, CALM_DAYS = 2, 30  # a storm of weeks does not end a decline
CLEAR = 0.4  # of the limit
LASTS_DAYS = 180.0
TREND_DAYS, LEAST_TREND = 30, 10
LEAST_LPS = 0.05
NINETY = 1.645  # standard deviations


class Decline(Detector):
    """Fall of the low water of a source over weeks.

    Parameters
    ----------
    place, outlet : the source and the flow at its mouth.
    share : fall of the low water that is told.
    season : amplitude of the yearly swing that is taken as known, as a share.

    Examples
    --------
    >>> source = Decline("gallery", "outlet", season=0.0)
    >>> found = []
    >>> for i in range(100 * 144):
    ...     lps = 12.0 * math.exp(-0.004 * max(0, i / 144 - 60))
    ...     found += source.step(Frame(i, i * 600_000, {"outlet": lps}))
    >>> [(f.kind, f.place, f.ts // DAY_MS, round(f.evidence["trend_pct_a_year"])) for f in found]
    [('decline', 'gallery', 78, -65)]

    References
    ----------
    Sen (1968), Estimates of the regression coefficient based on Kendall's tau, JASA 63.
    """

    kinds = ("decline",)

    def __init__(self, place: str, outlet: str, share: float = 0.06, season: float = 0.10) -> None:
        if not 0 < share < 1 or not 0 <= season < 1:
            raise ValueError("share and season are parts of one")
        self.place, self.outlet, self.limit = place, outlet, -math.log(1.0 - share)
        self.season = season
        self.day: int | None = None
        self.today: list[float] = []
        self.bound = ""  # of today, if any value was one
        self.days: list[tuple[int, float, str]] = []  # day, y, bound
        self.step_from: tuple[float, int] | None = None  # level before a step, its first day
        self.shifted = 0.0  # steps that are normal now
        self.run = 0
        self.open: tuple[float, int] | None = None  # level before the decline, day of the alarm

    @property
    def name(self) -> str:
        return f"decline:{self.outlet}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a day is judged when the next one has begun."""
        found: list[Finding] = []
        day = frame.ts // DAY_MS
        if day != self.day:
            if self.day is not None and self.today:
                found = self._close(self.day)
            self.day, self.today, self.bound = day, [], ""
        value = frame.values.get(self.outlet)
        if value is not None and value > LEAST_LPS:
            self.today.append(value)
            self.bound = frame.bounds.get(self.outlet, self.bound)
        return found

    def _close(self, day: int) -> list[Finding]:
        values = sorted(self.today)
        angle = 2.0 * math.pi * (day - PEAK_DAY) / YEAR_DAYS
        y = math.log(values[len(values) // 2]) - self.season * math.cos(angle) + self.shifted
        y = self._without_steps(day, y)
        if math.isnan(y):
            return []
        self.days.append((day, y, self.bound))
        while self.days[0][0] <= day - KEEP:
            del self.days[0]
        # a bound never makes a decline: "at least" is no low now, "at most" none of before
        now = self._low(day, "gt")
        if now is None or day - self.days[0][0] < FIRST_DAYS:
            return []
        if self.open is not None:
            return self._over(day, now)
        lows = [low for d in range(self.days[0][0] + NOW - 1, day - BACK + 1)
                if (low := self._low(d, "lt")) is not None]  # fmt: skip
        if not lows:
            return []
        before = sorted(lows)[int(LOW * len(lows))]
        fall = before - now
        self.run = self.run + 1 if fall > self.limit else 0
        if self.run < PERSIST:
            return []
        slope, least, most = self._trend(day)
        if most >= 0.0:  # not sure that it falls at all
            return []
        self.open, self.run = (before, day), 0
        evidence: dict[str, float | str] = {
            "fall_pct": round(100.0 * (1.0 - math.exp(-fall)), 1),
            "trend_pct_a_year": round(100.0 * math.expm1(slope * YEAR_DAYS)),
            "trend_from": round(100.0 * math.expm1(least * YEAR_DAYS)),
            "trend_to": round(100.0 * math.expm1(most * YEAR_DAYS)),
            "season_pct": round(100.0 * self.season, 1),
        }
        return [self._finding(RAISED, day, evidence)]

    def _without_steps(self, day: int, y: float) -> float:
        """NaN while a sudden fall lasts; one that stays is taken out of the series."""
        if self.step_from is not None:
            level, since = self.step_from
            if y > level - RETURN:
                self.step_from = None
            elif day - since > STEP_DAYS:
                self.shifted += level - y
                self.step_from = None
                return level
            else:
                return math.nan
        last = [v for d, v, _ in self.days[-6:]]
        if len(last) >= LEAST_DAYS and y < min(last) - STEP:
            self.step_from = (min(last), day)
            return math.nan
        return y

    def _low(self, day: int, unlike: str) -> float | None:
        week = sorted(v for d, v, b in self.days if day - NOW < d <= day and b != unlike)
        return week[int(LOW * len(week))] if len(week) >= LEAST_DAYS else None

    def _trend(self, day: int) -> tuple[float, float, float]:
        """Sen's slope a day with its ninety percent, of the last month."""
        last = [(d, v) for d, v, b in self.days if d > day - TREND_DAYS and not b]
        n = len(last)
        if n < LEAST_TREND:
            return 0.0, 0.0, 0.0
        slopes = sorted((v - w) / (d - e) for i, (d, v) in enumerate(last) for e, w in last[:i])
        half = NINETY * math.sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
        first = max(0, int((len(slopes) - half) / 2.0))
        return slopes[len(slopes) // 2], slopes[first], slopes[-1 - first]

    def _over(self, day: int, now: float) -> list[Finding]:
        assert self.open is not None
        level, since = self.open
        lasts = day - since > LASTS_DAYS
        self.run = self.run + 1 if now > level - CLEAR * self.limit else 0
        if self.run < CALM_DAYS and not lasts:
            return []
        self.open, self.run = None, 0
        why: dict[str, float | str] = {"explained_by": "lasts"} if lasts else {}
        if lasts:
            self.days = self.days[-NOW:]
        return [self._finding(CLEARED, day, why)]

    def dismiss(self, kind: str, place: str) -> None:
        if self.open is not None and (kind, place) == ("decline", self.place):
            self.open, self.run, self.days = None, 0, self.days[-NOW:]

    def _finding(self, what: str, day: int, evidence: dict[str, float | str]) -> Finding:
        return Finding(what, "decline", self.place, (day + 1) * DAY_MS, evidence=evidence)

    def dump(self) -> Any:
        own = [self.day, self.today, self.bound, self.step_from, self.shifted, self.run, self.open]
        return [own, self.days]

    def load(self, state: Any) -> None:
        own, days = state
        self.day, self.today, self.bound, step_from, self.shifted, self.run, opened = own
        self.today = list(self.today)
        self.step_from = None if step_from is None else (float(step_from[0]), int(step_from[1]))
        self.open = None if opened is None else (float(opened[0]), int(opened[1]))
        self.days = [(int(d), float(v), str(b)) for d, v, b in days]


def declines(site: Site) -> list[Detector]:
    """One for each source."""
    return [Decline(s.place, s.outlet) for s in site.sources]
