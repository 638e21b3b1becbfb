# SPDX-License-Identifier: MIT
"""The nights of a zone, cut out of its hours: the quietest hours are learned, not named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kahriz_detect.numbers.glr import BEFORE
from kahriz_detect.numbers.nights import QUIET_H, Nights, Window, lowest, quietest

QUIETER = 0.02  # of the mean use, by which other hours must be quieter to become the night
NOON_H = 12  # hours after the night began: then nothing is cut in two
DAY_HOURS = 12  # that must be known to tell how a day was
MOST_MISSED = 10  # nights


class NightFlow:
    """Feeds `Nights` with a night as soon as it is over.

    Examples
    --------
    >>> night, shape = NightFlow(), [1.0] * 4 + [5.0] * 20
    >>> for hour in range(24 * 30):
    ...     _ = night.hour(hour, hour // 24, shape[hour % 24], shape)
    >>> night.nights.nights.values[-1], night.nights.days.values[-1]
    (1.0, 5.0)
    """

    def __init__(self) -> None:
        self.nights = Nights()
        self.first: int | None = None  # hour of the day at which the night begins
        self.number: int | None = None  # of this night
        self.quiet: list[float] = []
        self.day: list[float] = []  # hours since the night
        self.before: float | None = None  # mean of the day before it
        self.open = False  # the night is not over
        self.over = False  # since this hour

    def hour(
        self, hour: int, weekday: int, use: float, shape: Sequence[float], learn: bool = True
    ) -> tuple[Window, float, float] | None:
        """An hour that is known; what stands out when it is the first after a night."""
        if self.first is None:
            self.first = quietest(shape)
        self.over = False
        number, of_night = divmod(hour - self.first, 24)
        if number != self.number:
            self._begin(number)
        if of_night < QUIET_H:
            self.quiet.append(use)
            return None
        self.day.append(use)
        best = None
        if self.open:
            self.open, self.over = False, True
            best = self.nights.add(weekday, lowest(self.quiet), self.before, learn, number)
        if of_night == NOON_H:
            self._choose(shape)
        return best

    def explains(self, days: int, far: float, scatter: float) -> float:
        """What season explains of a movement of the hours, which are nights and days."""
        if self.number is None:
            return 0.0
        season, last = self.nights.season, self.number + 0.5 * (1 - days)
        first = last - 0.5 * (days + BEFORE[days])
        return season.expects(first, last, far, scatter, [season.night, season.day])

    def _begin(self, number: int) -> None:
        if self.number is not None:
            missed = number - self.number - (0 if self.open else 1)
            for n in range(min(max(missed, 0), MOST_MISSED)):
                self.nights.add(n, None, None)
        known = len(self.day) >= DAY_HOURS
        self.before = sum(self.day) / len(self.day) if known else None
        self.number, self.quiet, self.day, self.open = number, [], [], True

    def _choose(self, shape: Sequence[float]) -> None:
        assert self.first is not None
        other = quietest(shape)
        gain = sum(shape[(self.first + i) % 24] - shape[(other + i) % 24] for i in range(QUIET_H))
        if gain > QUIETER * QUIET_H * abs(self.nights.level):
            self.first = other

    def dump(self) -> Any:
        now = [self.first, self.number, self.quiet, self.day, self.before, self.open]
        return [self.nights.dump(), now]

    def load(self, state: Any) -> None:
        nights, now = state
        self.nights.load(nights)
        self.first, self.number, quiet, day, self.before, self.open = now
        self.quiet, self.day = list(quiet), list(day)
