# SPDX-License-Identifier: MIT
"""How much room the readings have, and how many days it lasts at the pace measured so far.

The room is what our stores take already and what is still free on their disk; what other
programs fill counts, since it is gone for us. A year of one node takes a few megabytes, so a
disk that fills within days fills with something else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DAY_MS = 86_400_000
HALF, NEARLY = 0.5, 0.8  # the shares of the room at which a person is told
DAYS_KEPT = 30  # the pace is measured over as many days
PACE_LEAST_MS = DAY_MS  # a pace of less than a day says nothing

Sample = list[int]  # [milliseconds, bytes free then]


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of our stores, and bytes free for them."""

    ours: int
    free: int

    @property
    def share(self) -> float:
        """How much of the room is used.

        >>> Room(ours=30, free=10).share
        0.75
        """
        whole = self.ours + self.free
        return self.ours / whole if whole else 1.0


def room(data: Path) -> Room:
    """The room in the folder of the stores."""
    found = os.statvfs(data)
    ours = sum(path.stat().st_size for path in data.glob("*.db*"))
    return Room(ours, found.f_bavail * found.f_frsize)


def remember(samples: list[Sample], now_ms: int, free: int) -> list[Sample]:
    """The samples with today's, one a day, of the last thirty days; a clock set back starts anew.

    >>> remember([[0, 900]], 86_400_000, 800)
    [[0, 900], [86400000, 800]]
    """
    if samples and now_ms < samples[-1][0]:
        samples = []
    if samples and now_ms - samples[-1][0] < DAY_MS:
        return samples
    kept = [s for s in samples if now_ms - s[0] <= DAYS_KEPT * DAY_MS]
    return [*kept, [now_ms, free]]


def days_left(samples: list[Sample], now_ms: int, free: int) -> float | None:
    """Days until the disk is full; None while the pace is not known or nothing is used up.

    >>> days_left([[0, 1000]], 10 * 86_400_000, 900)
    90.0
    """
    if not samples or now_ms - samples[0][0] < PACE_LEAST_MS:
        return None
    used = samples[0][1] - free
    if used <= 0:
        return None
    return free / used * (now_ms - samples[0][0]) / DAY_MS
