# SPDX-License-Identifier: MIT
"""Steps of the use of a zone with several feeds, hour by hour, with what its first one gives."""

from __future__ import annotations

from typing import Any

from kahriz_detect.numbers.profile import Profile
from kahriz_detect.numbers.share import Share
from kahriz_detect.numbers.steps import Step, Steps

LEARN_DAYS = 8.0


class Sudden:
    """Takes from use and share what is usual at such hours.

    Examples
    --------
    >>> sudden, use = Sudden(), Profile()
    >>> for hour in range(24 * 40):
    ...     more = 3.0 if hour >= 958 else 0.0
    ...     lps = 5.0 + hour % 24 / 8 + (0.1 if hour % 5 else -0.1) + more
    ...     found = sudden.hour(hour, lps, use, (0.5 * lps + 0.3 * more, lps, 0.0))
    ...     use.learn(hour, lps)
    >>> found.span.hours, found.side
    (2, 1)
    """

    def __init__(self) -> None:
        self.steps = Steps()
        self.share, self.profile = Share(), Profile()

    def hour(
        self,
        slot: int,
        use: float,
        profile: Profile,
        fed: tuple[float, ...],
        learn: bool = True,
    ) -> Step | None:
        """An hour that is known, before its `profile` has learned it; `fed` as in `Hours`."""
        first, total, passed = fed
        value, mine = self.share.hour(first, total, passed), self.profile
        rest = value - mine.expected(slot), mine.scatter[slot % 24]
        ripe = min(mine.days, profile.days) >= LEARN_DAYS
        mine.learn(slot, value)
        if not ripe:
            return None
        off = use - profile.expected(slot), profile.scatter[slot % 24]
        return self.steps.hour(off, rest, profile.level, learn)

    def dump(self) -> Any:
        return [self.steps.dump(), self.share.dump(), self.profile.dump()]

    def load(self, state: Any) -> None:
        steps, share, profile = state
        self.steps.load(steps)
        self.share.load(share)
        self.profile.load(profile)
