# SPDX-License-Identifier: MIT
"""Hours in which a tap network had no water, and those in which people make up for it.

    out     : use < OUT * usual for HOLD_H hours or more; missed += usual - use
    rebound : within a day after it, in hours of use > usual, until nothing is missed
              missed -= use - usual

Neither is learned nor judged, whether anybody told of the closure or not. What is used beyond what
was missed is news again: a leak that began meanwhile waits a day at most.
"""

from __future__ import annotations

from typing import Any

OUT = 0.15  # of the usual use: a network that nobody feeds
HOLD_H = 2
ABOVE = 1.05  # of the usual: who still makes up for it
LONGEST_H = 24
MOST_H = 336  # an outage that lasts for weeks is the new usual


class Outage:
    """One network, hour by hour.

    Examples
    --------
    >>> outage = Outage()
    >>> hours = [5.0] * 3 + [0.1] * 6 + [10.0] * 6 + [5.0] * 3
    >>> "".join("x" if outage.explains(h, use, 5.0) else "." for h, use in enumerate(hours))
    '....xxxxxxxxxxx...'
    """

    def __init__(self) -> None:
        self.hour: int | None = None
        self.out = 0  # hours without water, in a row
        self.missed = 0.0  # L/s times hours
        self.since: int | None = None  # when the water was back

    def explains(self, hour: int, use: float, usual: float) -> bool:
        """Take an hour in; whether it says nothing of the usual use. A gap ends nothing."""
        self.hour = hour
        if usual > 0.0 and use < OUT * usual and self.out < MOST_H:
            self.out += 1
            if self.out == 1 and self.since is None:
                self.missed = 0.0
            self.missed += usual - use
            self.since = None
            return self.out >= HOLD_H
        if self.out:
            self.since = hour if HOLD_H <= self.out < MOST_H else None
            self.out = 0
        if self.since is None:
            return False
        if hour - self.since >= LONGEST_H or self.missed <= 0.0:
            self.since = None
            return False
        if use <= ABOVE * usual:  # at night nobody fills his tank
            return False
        self.missed -= use - usual
        return True

    def dump(self) -> Any:
        return [self.hour, self.out, self.missed, self.since]

    def load(self, state: Any) -> None:
        self.hour, self.out, self.missed, self.since = state
