# SPDX-License-Identifier: MIT
"""Minimum night flow by weekday class: have the last nights risen above those before?

    m(d) = mean of the three lowest hours of the quietest four        r(d) = m(d) - class(weekday)
    T = median(last k nights) - median(B nights that end g nights before them)        z = T / s

At night people sleep and a leak does not. s is the larger of what T itself has shown here and of
the scatter of the B nights. Nights with g = 0 hear what begins at once, those with a gap hear what
grows for weeks, for its own growth is not in the reference. All k nights must have risen, and the
days between them by about as much: a leak runs by day as by night. Days that rose by far less say
that it was the night's people; by far more, that it is a season, which comes by day first.

From the second year on T is what is left when last year's season is taken off, and s grows by the
doubt about that (`Season`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from kahriz_detect.numbers.middle import median
from kahriz_detect.numbers.season import UNLIKE, Season

QUIET_H, LOWEST_H = 4, 3
KEPT, PAST = 32, 60  # nights
FEWEST_PAST = 7  # values of T that tell its scatter
WORTH = 0.5  # of a limit: less is not worth a look
VOTE = 0.6  # of the rise: by so much even the lowest of the last nights has risen
DAY_LEAST, DAY_MOST = 0.5, 1.6  # of the rise: what the days may have risen by
CUT = 2.5  # scatters by which one night may pull its weekday
CLASS_MEMORY = 6.0  # weeks
WEEK = 7
SIGMA = 1.4826  # of a median of distances


@dataclass(frozen=True, slots=True)
class Window:
    """The last `nights` against `before` nights that end `gap` nights earlier; `z` rings."""

    nights: int
    gap: int
    before: int
    z: float


WINDOWS: tuple[Window, ...] = (
    Window(2, 0, 5, 3.7),
    Window(3, 0, 7, 3.4),
    Window(3, 7, 10, 3.3),
    Window(3, 14, 14, 3.9),
)


class Nights:
    """Night flows of one place and how far they have moved.

    Parameters
    ----------
    least_share : of the night flow: the smallest scatter; no night is surer than that.

    Examples
    --------
    >>> nights = Nights()
    >>> for night in range(40):
    ...     _ = nights.add(night, 5.0 + 0.1 * (night % 3), 9.0)
    >>> nights.add(40, 6.1, 10.0) is None  # one night may be a feast
    True
    >>> window, far, z = nights.add(41, 6.1, 10.0)
    >>> window.nights, round(far, 1), z > 4
    (2, 1.0, True)

    References
    ----------
    Farley, Trow: Losses in Water Distribution Networks, IWA, 2003 (minimum night flow);
    Mann, Whitney, Ann. Math. Stat. 18, 1947 (medians and votes in place of means);
    Lai, J. R. Stat. Soc. B 57(4), 1995 (windows of several lengths).
    """

    def __init__(self, least_share: float = 0.02) -> None:
        if least_share <= 0:
            raise ValueError("least_share must be positive")
        self.least_share = least_share
        self.level = 0.0
        self.nights = _Series()
        self.days = _Series()
        self.past: list[list[float]] = [[] for _ in WINDOWS]  # what |T| was lately
        self.season = Season()

    @property
    def mature(self) -> bool:
        """Whether enough nights were seen to know how they scatter."""
        return len(self.past[0]) >= PAST

    def add(
        self,
        weekday: int,
        night: float | None,
        day: float | None,
        learn: bool = True,
        date: int | None = None,
    ) -> tuple[Window, float, float] | None:
        """A night and the day before it; the window, distance and scatters of what stands out.

        With a `date`, a day since any first of January, what last year's season explains is no
        distance.
        """
        cut = CUT * SIGMA * median(self.past[0]) if len(self.past[0]) >= FEWEST_PAST else None
        self.days.add(weekday - 1, day, None)
        self.nights.add(weekday, night, cut)
        if night is None:
            return None
        self.level = self.level + (night - self.level) / 30.0 if self.level else night
        if date is not None:
            self.season.learn(date, self.nights.values[-1], self.days.values[-1])
        best, most = None, WORTH
        pairs: list[tuple[float, float]] = []
        for window, past in zip(WINDOWS, self.past, strict=True):
            known = len(past) >= FEWEST_PAST
            shown = SIGMA * median(past) if known else 0.0
            usual = max(shown, self.least_share * abs(self.level), 1e-9)
            found = self._far(window, date if known else None, usual)
            if found is None:
                continue
            far, explained, was, scatter, stays = found
            z = 0.0
            if known:
                rest = far - explained
                z = rest / hypot(max(usual, scatter), UNLIKE * explained)
                pairs.append((was / usual, far / usual))
                if stays and abs(z) / window.z > most:
                    most, best = abs(z) / window.z, (window, rest, z)
            if learn and abs(z) < window.z:
                past.append(abs(far - self.season.proven * was))
                del past[:-PAST]
        if learn:
            self.season.judge(pairs)
        return best

    def _far(
        self, window: Window, date: int | None, scatter: float
    ) -> tuple[float, float, float, float, bool] | None:
        """T, what season explains of it, last year's T, the scatter of the reference, and whether
        all nights and the days tell the same."""
        now, before = self.nights.split(window)
        if len(now) < max(1.0, 0.6 * window.nights) or len(before) < 0.5 * window.before:
            return None
        usual = median(before)
        far, spread = median(now) - usual, SIGMA * median([abs(v - usual) for v in before])
        explained = was = by_day = 0.0
        if date is not None:
            explained, was, by_day = self._season(window, date, far, scatter)
        base = far
        if explained * far < 0.0:
            base, usual = far - explained, usual + explained
        if not base:
            return 0.0, 0.0, was, spread, False
        stays = all((v - usual) / base > VOTE for v in _without_lowest(now, base < 0))
        day_now, day_before = self.days.split(window, less=1)
        if day_now and day_before:
            by_day = (median(day_now) - median(day_before) - by_day) / base
            stays = stays and DAY_LEAST < by_day < DAY_MOST
        return far, explained, was, spread, stays

    def _season(
        self, window: Window, date: int, far: float, scatter: float
    ) -> tuple[float, float, float]:
        """What season explains of T, last year's T, and what it explains of the days."""
        season = self.season
        last = date - 0.5 * (window.nights - 1)
        first = date - window.nights - window.gap - 0.5 * (window.before - 1)
        was = season.night.moved(first, last)
        hidden = season.proven * was
        if hidden * far < 0.0:
            return hidden, was, season.proven * season.day.moved(first - 1.0, last - 0.5)
        if abs(far) < WORTH * window.z * scatter:
            return 0.0, was, 0.0
        return season.expects(first, last, far, scatter, [season.night]), was, 0.0

    def rebase(self, far: float, window: Window | None = None) -> None:
        """The last nights are the new usual; what was before is moved to them."""
        nights, gap = (window.nights, window.gap) if window else (1, 0)
        self.nights.rebase(far, nights, gap)
        self.days.rebase(far, max(min(1, nights), nights - 1), gap)

    def agree(self) -> None:
        """What was said of the last nights was a guess: they are the usual now."""
        now, before = self.nights.split(WINDOWS[0])
        if now and before:
            self.rebase(median(now) - median(before), WINDOWS[0])

    def forget(self) -> None:
        """Nothing is held against what was before a long gap."""
        self.nights.values, self.days.values = [], []

    def dump(self) -> Any:
        past = [[*p] for p in self.past]
        return [self.level, self.nights.dump(), self.days.dump(), past, self.season.dump()]

    def load(self, state: Any) -> None:
        self.level, nights, days, past, *season = state
        if season:  # a version before had none
            self.season.load(season[0])
        self.nights.load(nights)
        self.days.load(days)
        self.past = [[float(v) for v in p] for p in past]


class _Series:
    """One value a day without its weekday's share; None where it is not known."""

    def __init__(self) -> None:
        self.values: list[float | None] = []
        self.weekday = [0.0] * WEEK
        self.seen = [0] * WEEK

    def add(self, weekday: int, value: float | None, cut: float | None) -> None:
        if value is None:
            self.values = [*self.values[-KEPT + 1 :], None]
            return
        which = weekday % WEEK
        rest = value - self.weekday[which]
        known = [v for v in self.values[-WEEK:] if v is not None]
        if len(known) >= 4:
            off = rest - median(known)
            if cut is not None:
                off = cut if off > cut else -cut if off < -cut else off
            self.seen[which] += 1
            self.weekday[which] += off / min(self.seen[which] + 1.0, CLASS_MEMORY)
        self.values = [*self.values[-KEPT + 1 :], rest]

    def split(self, window: Window, less: int = 0) -> tuple[list[float], list[float]]:
        """What is known of now and of before."""
        values = self.values
        now = values[-max(1, window.nights - less) :]
        last = len(values) - window.nights - window.gap
        before = values[max(0, last - window.before) : max(0, last)]
        return [v for v in now if v is not None], [v for v in before if v is not None]

    def rebase(self, far: float, now: int, gap: int) -> None:
        """Nights on the way count as the new level."""
        known = [v for v in self.values[-now:] if v is not None]
        level = median(known) if known else 0.0
        first, last = len(self.values) - now - gap, len(self.values) - now
        for i, v in enumerate(self.values[: max(0, last)]):
            if v is not None:
                self.values[i] = v + far if i < first else level

    def dump(self) -> Any:
        return [[*self.values], [*self.weekday], [*self.seen]]

    def load(self, state: Any) -> None:
        values, weekday, seen = state
        self.values = [None if v is None else float(v) for v in values]
        self.weekday, self.seen = list(weekday), list(seen)


def quietest(hours: Sequence[float]) -> int:
    """The first of the quietest hours of a day.

    >>> quietest([5.0] * 23 + [1.0])
    20
    """
    twice = [*hours, *hours]
    sums = [sum(twice[h : h + QUIET_H]) for h in range(24)]
    return sums.index(min(sums))


def lowest(hours: Sequence[float]) -> float | None:
    """The night flow of some hours; None when too few are known."""
    if len(hours) < LOWEST_H:
        return None
    return sum(sorted(hours)[:LOWEST_H]) / LOWEST_H


def _without_lowest(values: list[float], high: bool) -> list[float]:
    """All but the lowest of every four."""
    return sorted(values, reverse=high)[(len(values) - 1) // 4 :]
