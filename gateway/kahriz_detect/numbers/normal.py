# SPDX-License-Identifier: MIT
"""What is normal here: a mean, its hours of the day and its scatter, learned while all is calm.

Earth ditches lose 2.5 to 5 L/s a kilometre, weirs differ by their zeros, and the sun on a
thermometer returns each day: none of that is news. Whoever uses it stops calling `learn` while
something is suspicious, for a reference that follows a leak hides it.
"""

from __future__ import annotations

from typing import Any

HOURS = 24
ROBUST = 3.0  # mean scatters at which an outlier is cut before it is learned
TAME_AFTER = 20  # values


class Normal:
    """Mean + hour-of-day profile + scatter of a series of blocks.

    Parameters
    ----------
    memory_days : how long the mean remembers; the profile remembers as many days.
    a_day : blocks a day.

    Examples
    --------
    >>> normal = Normal(memory_days=7)
    >>> for block in range(48 * 3):
    ...     normal.learn(0.5, block)
    >>> round(normal.expected(0), 3), normal.days
    (0.5, 3.0)
    """

    def __init__(self, memory_days: float, a_day: int = 48) -> None:
        self.memory_days = memory_days
        self.a_day = a_day
        self.mean = 0.0
        self.scatter = 0.0
        self.profile = [0.0] * HOURS
        self.seen = [0] * HOURS
        self.count = 0

    @property
    def days(self) -> float:
        """How much was learned."""
        return self.count / self.a_day

    def expected(self, block: int) -> float:
        return self.mean + self.profile[(block % self.a_day) * HOURS // self.a_day]

    def learn(self, value: float, block: int) -> None:
        """Take one block in: a plain mean at first, a slow one after `memory_days`."""
        a_day, profile = self.a_day, self.profile
        hour = (block % a_day) * HOURS // a_day
        error = value - self.mean - profile[hour]
        self.count = count = self.count + 1
        self.seen[hour] = seen = self.seen[hour] + 1
        memory = self.memory_days * a_day
        size = abs(error)
        most = ROBUST * 1.25 * self.scatter
        if count > TAME_AFTER and size > most > 0:
            size, error = most, most if error > 0 else -most
        slow = count if count < memory else memory
        gone = error / slow
        self.mean += gone
        share = seen / (seen + 8.0 * a_day / 48)
        gain = share / min(seen, memory / HOURS)
        profile[hour] += gain * (error - gone)
        if seen % 8 == 0:  # the profile has no mean of its own
            level = sum(self.profile) / HOURS
            self.profile = [p - level for p in self.profile]
            self.mean += level
        self.scatter += (size - self.scatter) / slow

    def shift(self, by: float) -> None:
        """A new normal: what was doubted and lasts is learned."""
        self.mean += by

    def dump(self) -> Any:
        return [self.mean, self.scatter, self.profile, self.seen, self.count]

    def load(self, state: Any) -> None:
        self.mean, self.scatter, self.profile, self.seen, self.count = state
