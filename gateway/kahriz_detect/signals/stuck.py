# SPDX-License-Identifier: MIT
"""A sensor that repeats itself longer than its own resolution explains.

    rings when  n * -ln(p) > threshold,   p = P(reading = the one before | that was a repeat too)

p is learned while the sensor lives, so a coarse one may repeat for hours and a fine one may not.
Readings at the bottom of the scale repeat by another p, which each run there teaches whole: a pump
that rests and a closed valve read zero for hours or weeks.
"""

from __future__ import annotations

import math
from typing import Any

MEMORY = 500.0  # readings
TEACHES = 12  # repeats of one run
LEAST_P, MOST_P = 0.02, 0.98


class Stuck:
    """Run of equal readings, judged by the learned chance of a repeat.

    Parameters
    ----------
    threshold : minus the logarithm of the chance of such a run.
    least : and no run shorter than this.
    learn : readings before anything is said.

    Examples
    --------
    >>> stuck = Stuck(learn=50)
    >>> [i for i in range(171) if stuck.step(7.0 if i > 150 else i % 5 / 10, not i % 5 and i < 151)]
    [168, 169, 170]

    References
    ----------
    IOOS QARTOD (2020), Manual for real-time quality control of water level data: flat line test.
    """

    __slots__ = ("before", "last", "learn", "least", "long", "low", "p", "run", "seen", "threshold")

    def __init__(self, threshold: float = 20.0, least: int = 6, learn: int = 400) -> None:
        if threshold <= 0 or least < 2 or learn < 1:
            raise ValueError("threshold and learn must be positive, least at least 2")
        self.threshold, self.least, self.learn = threshold, least, learn
        self.last: float | None = None
        self.run = 0
        self.before = 0  # run that the newest reading ended
        self.low = False  # the run is at the bottom of the scale
        self.long = False
        self.seen = 0
        self.p = [0.3, 0.9]

    def step(self, value: float, bottom: bool) -> bool:
        """Take one reading in; true as long as the run is too long."""
        self.seen += 1
        if value != self.last:
            if self.run or self.before:
                self._end_run()
            self.last, self.low, self.long = value, bottom, False
            return False
        self.run += 1
        self.before = 0
        if self.run > self.least:
            p = min(MOST_P, max(LEAST_P, self.p[bottom]))
            self.long = -math.log(p) * self.run > self.threshold
        return self.long and self.seen > self.learn

    def _end_run(self) -> None:
        """The reading that ends a run, and the one after it."""
        self.before, self.run = self.run, 0
        if self.before and (self.low or not self.long):  # what was suspicious is not learned
            repeats = self.before - 1 if self.low else min(self.before - 1, TEACHES)
            share = min(1.0, (repeats + 1) / MEMORY)
            self.p[self.low] += share * (repeats / (repeats + 1) - self.p[self.low])

    def dump(self) -> Any:
        return [self.last, self.run, self.before, self.low, self.long, self.seen, self.p]

    def load(self, state: Any) -> None:
        self.last, self.run, self.before, self.low, self.long, self.seen, p = state
        self.p = list(p)
