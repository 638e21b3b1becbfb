# SPDX-License-Identifier: MIT
"""What can go wrong on the way out, and when to try again."""

from __future__ import annotations

FIRST_RETRY_MS = 30_000
LAST_RETRY_MS = 3_600_000


class DeliveryError(Exception):
    """A delivery failed; `permanent` when waiting does not mend it and a person must act.

    `unsure`: nobody said no, it may have got through: the next try is marked as a repeat.
    """

    def __init__(self, message: str, permanent: bool, unsure: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unsure = unsure


def retry_after_ms(tries: int) -> int:
    """Pause after so many failed tries: doubling from half a minute to an hour.

    >>> [retry_after_ms(n) // 1000 for n in (1, 2, 3, 20)]
    [30, 60, 120, 3600]
    """
    return min(FIRST_RETRY_MS << min(max(tries - 1, 0), 10), LAST_RETRY_MS)
