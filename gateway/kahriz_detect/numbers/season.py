# SPDX-License-Identifier: MIT
"""The course of a year: how far a level moved in the same weeks of last year, and will again.

    m(w) = median(weeks w - 4 to w + 4)      d(w) = m(w) - m(w - 1)      P(a, b) = sum of d, a to b
    slope of T on P:  (sum T P +- SURE * sqrt(ALIKE * sum P^2)) / (sum P^2 + RIDGE) = low, high
    beta = P^2 / (P^2 + FAR^2), no less than low and no more than high

P was measured a year ago, T is the same movement now, both in scatters. What was within the scatter
last year is believed to return only as far as the past months have shown that it does; what was far
outside it, guests that come in June, is believed at first, until it did not return. A season never
comes on the very day nor by the very amount: of the movements within SHIFTS days the one nearest to
T counts, and UNLIKE of it is doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from kahriz_detect.numbers.middle import median

YEAR_DAYS = 365.2425
WEEKS = 52
WEEK_DAYS = YEAR_DAYS / WEEKS
HELD_WEEKS = 7  # no window looks so far back
ASIDE = 4  # weeks on either side: what lasted less than five is no season
FEWEST = 3  # values of a week
RIDGE = 20.0  # scatters squared
SURE = 2.0
ALIKE = 20.0  # movements that tell the same: four windows that overlap from night to night
FAR = 4.0  # scatters; half of such a movement is believed at first
MOST = 10.0  # scatters by which one night may tell
MEMORY = 365.0  # nights
SHIFTS = (-6.0, -3.0, 0.0, 3.0, 6.0)  # days
UNLIKE = 0.25  # of a movement that returns: by so much one year differs from the next


class Course:
    """How a level moves from week to week of a year; 52 weeks of a little more than seven days.

    What is measured now is kept back until no window looks at those weeks of last year any more.
    A week without values, or none before it, moves nothing.

    Examples
    --------
    >>> course = Course()
    >>> for day in range(420):
    ...     course.learn(day, 5.0 if 150 <= day < 250 or 80 <= day < 100 else 2.0)
    >>> course.moved(130.0, 170.0), course.moved(70.0, 90.0), course.moved(360.0, 370.0)
    (3.0, 0.0, 0.0)
    """

    def __init__(self) -> None:
        self.moves: list[float | None] = [None] * WEEKS
        self.held: list[tuple[int, float]] = []  # weeks that had values, and their medians
        self.week: int | None = None  # that is being filled
        self.values: list[float] = []
        self.last: tuple[int, float] | None = None  # week whose move was learned, and its level

    def learn(self, day: int, value: float) -> None:
        week = int(day / WEEK_DAYS)
        if self.week is not None and week != self.week:
            for closed in range(max(self.week, week - WEEKS), week):
                self._close(closed)
        self.week = week
        self.values.append(value)

    def _close(self, week: int) -> None:
        values, self.values = self.values, []
        if len(values) >= FEWEST:
            self.held.append((week, median(values)))
        middle = week - HELD_WEEKS
        around = [level for at, level in self.held if abs(at - middle) <= ASIDE]
        self.held = [(at, level) for at, level in self.held if at > middle - ASIDE]
        before = self.last
        self.last = (middle, median(around)) if len(around) > ASIDE else None
        if self.last is None or before is None:
            return
        move, old = self.last[1] - before[1], self.moves[middle % WEEKS]
        self.moves[middle % WEEKS] = move if old is None else 0.5 * (old + move)

    def moved(self, first: float, last: float) -> float:
        """How far the level went between these days of a year; a move ends in mid-week."""
        begin, skipped = divmod(first / WEEK_DAYS - 0.5, 1.0)
        end, share = divmod(last / WEEK_DAYS - 0.5, 1.0)
        whole = sum(self._move(week) for week in range(int(begin) + 1, int(end) + 1))
        return whole - skipped * self._move(int(begin) + 1) + share * self._move(int(end) + 1)

    def _move(self, week: int) -> float:
        return self.moves[week % WEEKS] or 0.0

    def dump(self) -> Any:
        held = [list(h) for h in self.held]
        last = None if self.last is None else list(self.last)
        return [[*self.moves], held, self.week, [*self.values], last]

    def load(self, state: Any) -> None:
        moves, held, self.week, values, last = state
        self.moves, self.values = list(moves), list(values)
        self.held = [(int(week), float(move)) for week, move in held]
        self.last = None if last is None else (int(last[0]), float(last[1]))


class Season:
    """Courses of the nights and of the days of one place, and how well they foretold.

    Examples
    --------
    >>> season = Season()
    >>> season.expects(100.0, 120.0, 3.0, 0.1, [season.night])  # nothing was a year ago
    0.0
    """

    def __init__(self) -> None:
        self.night, self.day = Course(), Course()
        self.both = 0.0  # sum T P
        self.own = 0.0  # sum P^2

    @property
    def proven(self) -> float:
        """The share of last year's movements that is known to return."""
        sure = self.both - SURE * sqrt(ALIKE * self.own)
        return min(1.0, max(0.0, sure / (self.own + RIDGE)))

    @property
    def possible(self) -> float:
        """The largest share that may be; all while nothing is known."""
        sure = self.both + SURE * sqrt(ALIKE * self.own) + RIDGE
        return min(1.0, max(0.0, sure / (self.own + RIDGE)))

    def learn(self, date: int, night: float | None, day: float | None) -> None:
        """A night, and the day before it."""
        if night is not None:
            self.night.learn(date, night)
        if day is not None:
            self.day.learn(date - 1, day)

    def judge(self, pairs: Sequence[tuple[float, float]]) -> None:
        """What a night's windows show: P and T in scatters."""
        both = own = 0.0
        for was, far in pairs:
            was, far = min(MOST, max(-MOST, was)), min(MOST, max(-MOST, far))
            both += was * far
            own += was * was
        self.both += both - self.both / MEMORY
        self.own += own - self.own / MEMORY

    def expects(
        self, first: float, last: float, far: float, scatter: float, courses: Sequence[Course]
    ) -> float:
        """How much of the movement `far` between two days was so in one of the courses."""
        most, low, high = 0.0, self.proven, self.possible
        for course in courses:
            for shift in SHIFTS:
                was = course.moved(first + shift, last + shift)
                if was * far <= 0.0:
                    continue
                square = (was / scatter) ** 2
                beta = max(low, min(high, square / (square + FAR * FAR)))
                most = max(most, beta * abs(was))
        return min(most, abs(far)) * (1.0 if far > 0 else -1.0)

    def dump(self) -> Any:
        return [self.night.dump(), self.day.dump(), self.both, self.own]

    def load(self, state: Any) -> None:
        night, day, self.both, self.own = state
        self.night.load(night)
        self.day.load(day)
