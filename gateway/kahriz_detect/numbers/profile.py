# SPDX-License-Identifier: MIT
"""What people use at this hour of the week, learned as it goes.

    expected(h) = level + hour(h mod 24) + n / (n + SHRINK) * own(h)        weight(h) = s(h)^-POWER

An hour of the week leans on the same hour of all days until it has been seen often enough. The
scatter s of an hour of the day says how much that hour can tell: at night it is small, so a mean
with these weights hears the night first, in any network and without naming its hours.
"""

from __future__ import annotations

import math
from typing import Any

WEEK = 168
SHRINK = 3.0
CUT = 2.5  # scatters by which one hour may pull
POWER = 3.0  # 2 would be best for noise; people at noon are worse than that
NEAR_DAYS = 1.5
FLOOR_SHARE = 0.02  # of the mean use: no hour is surer than that
LEAST = 1e-6  # where there is no use at all


class Profile:
    """Hours of the week.

    Parameters
    ----------
    memory_weeks : how long an hour of the week remembers.

    Examples
    --------
    >>> week = Profile(memory_weeks=6.0)
    >>> for hour in range(400):
    ...     week.learn(hour, 10.0 if 6 <= hour % 24 <= 22 else 4.0)
    >>> round(week.expected(416) - week.expected(410), 1)
    6.0

    References
    ----------
    Alvisi, Franchini, Marinelli: A short-term, pattern-based model for water-demand forecasting,
    J. Hydroinformatics 9(1), 2007. Minimum night flow: EPA WRc, Leakage Policy and Practice, 1994.
    """

    def __init__(self, memory_weeks: float = 8.0) -> None:
        if memory_weeks <= 0:
            raise ValueError("memory_weeks must be positive")
        self.memory_weeks = memory_weeks
        self.level = 0.0
        self.hour = [0.0] * 24
        self.own = [0.0] * WEEK
        self.seen = [0] * WEEK
        self.scatter = [0.0] * 24
        self.days = 0.0
        self.near = 0.0  # level of the last days
        self.total = 1e12  # weight of a day

    def expected(self, hour: int) -> float:
        """Beyond the level."""
        slot = hour % WEEK
        n = self.seen[slot]
        return self.hour[hour % 24] + n / (n + SHRINK) * self.own[slot]

    def weight(self, hour: int) -> float:
        least = FLOOR_SHARE * abs(self.level)
        return math.pow(max(self.scatter[hour % 24], least, LEAST), -POWER)

    def learn(self, hour: int, use: float) -> None:
        """The shape is learned beside the level of the last days, so a leak does not enter it."""
        slot, of_day = hour % WEEK, hour % 24
        self.days += 1.0 / 24.0
        days = self.days
        if days <= 1.0:
            self.level += (use - self.level) / (24.0 * days)
            self.near = self.level
            self.hour[of_day] = use - self.level
            self.scatter[of_day] = 0.3 * abs(self.level)
            return
        off = use - self.near - self.expected(hour)
        cut = CUT * max(self.scatter[of_day], FLOOR_SHARE * abs(self.level))
        off = cut if off > cut else -cut if off < -cut else off
        self.level += off / (24.0 * min(days, 30.0)) + (self.near - self.level) / (24.0 * 30.0)
        self.near += off * self.weight(hour) / self.total / NEAR_DAYS
        a_day = 1.0 / min(days, 7.0 * self.memory_weeks)
        self.hour[of_day] += off * a_day
        self.scatter[of_day] += (1.25 * abs(off) - self.scatter[of_day]) * max(a_day, 1.0 / 60.0)
        if of_day == 0:
            least = max(FLOOR_SHARE * abs(self.level), LEAST)
            self.total = sum([math.pow(max(s, least), -POWER) for s in self.scatter])
        self.seen[slot] += 1
        own = use - self.near - self.hour[of_day] - self.own[slot]
        own = cut if own > cut else -cut if own < -cut else own
        self.own[slot] += own / min(self.seen[slot] + 1.0, self.memory_weeks)

    def dump(self) -> Any:
        numbers = [self.level, self.near, self.total, self.days]
        return [*numbers, [*self.hour], [*self.own], [*self.seen], [*self.scatter]]

    def load(self, state: Any) -> None:
        self.level, self.near, self.total, self.days, hour, own, seen, scatter = state
        self.hour, self.own = list(hour), list(own)
        self.seen, self.scatter = list(seen), list(scatter)
