# SPDX-License-Identifier: MIT
"""What is normal here: a mean, its hours of the day and its scatter, learned while all is calm.

Earth ditches lose 2.5 to 5 L/s a kilometre, weirs differ by their zeros, and the sun on a
thermometer returns each day: none of that is news. Whoever uses it stops calling `learn` while
something is suspicious, for a reference that follows a leak hides it.
"""

from __future__ import annotations

from typing import Any

HOURS = 24
BLOCKS_A_DAY = 96


class Normal:
    """Mean + hour-of-day profile + scatter of a series of quarter hours.

    Parameters
    ----------
    memory_days : how long the mean remembers; the profile remembers as many days.

    Examples
    --------
    >>> normal = Normal(memory_days=7)
    >>> for block in range(96 * 3):
    ...     normal.learn(0.5, block)
    >>> round(normal.expected(0), 3), normal.days
    (0.5, 3.0)
    """

    def __init__(self, memory_days: float) -> None:
        self.memory_days = memory_days
        self.mean = 0.0
        self.scatter = 0.0
        self.profile = [0.0] * HOURS
        self.seen = [0] * HOURS
        self.count = 0

    @property
    def days(self) -> float:
        """How much was learned."""
        return self.count / BLOCKS_A_DAY

    def expected(self, block: int) -> float:
        return self.mean + self.profile[_hour(block)]

    def learn(self, value: float, block: int) -> None:
        """Take one quarter hour in: a plain mean at first, a slow one after `memory_days`."""
        hour = _hour(block)
        error = value - self.expected(block)
        self.count += 1
        self.seen[hour] += 1
        memory = self.memory_days * BLOCKS_A_DAY
        self.mean += (value - self.mean) / min(self.count, memory)
        share = self.seen[hour] / (self.seen[hour] + 8.0)  # two days of an hour count half
        gain = share / min(self.seen[hour], memory / HOURS)
        self.profile[hour] += gain * (value - self.mean - self.profile[hour])
        level = sum(self.profile) / HOURS
        self.profile = [p - level for p in self.profile]
        self.mean += level
        self.scatter += (abs(error) - self.scatter) / min(self.count, memory)

    def dump(self) -> Any:
        return [self.mean, self.scatter, self.profile, self.seen, self.count]

    def load(self, state: Any) -> None:
        self.mean, self.scatter, self.profile, self.seen, self.count = state


def _hour(block: int) -> int:
    return (block % BLOCKS_A_DAY) * HOURS // BLOCKS_A_DAY
