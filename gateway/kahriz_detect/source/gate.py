# SPDX-License-Identifier: MIT
"""What explains at once that less comes out of the mouth, and what never does.

    shut : nothing runs, and the chamber has risen since: a gate. For how long, `drop` knows
    fell : the chamber has fallen with the mouth: no gate, no turn does that
    taken: what a metered offtake above the mouth took, in the readings of its own node

All of it is asked of readings that are there: none is waited for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from statistics import median

from kahriz_detect.finding import Finding

CLOSED_SHARE = 0.1  # of the flow before: what still runs is a gate that leaks
RISEN, RISEN_M = 1.05, 0.01  # of the chamber, above its noise
FALLEN = 0.8  # of the chamber: it goes as the square of the flow
HOUR_MS = 3_600_000
FRESH_MS = HOUR_MS // 2  # an older level is no word about what runs now
LEAST = 6  # levels before, else nobody knows
Reading = tuple[int, float]


def shut(found: Finding, chamber: Sequence[Reading]) -> bool:
    """Whether a gate explains a loss, by a level that was read since it began.

    >>> levels = [(n * 300_000, 0.3) for n in range(40)] + [(12_000_000, 0.5)]
    >>> lost = {"before_lps": 12.0, "now_lps": 0.2, "since_ms": 11_900_000.0}
    >>> shut(Finding("raised", "source_drop", "outlet", 12_000_000, evidence=lost), levels)
    True
    """
    before_lps, now_lps = found.evidence["before_lps"], found.evidence["now_lps"]
    since = found.evidence["since_ms"]
    if not isinstance(before_lps, float) or not isinstance(now_lps, float):
        return False
    if now_lps > CLOSED_SHARE * before_lps or not chamber or not isinstance(since, float):
        return False
    usual = _usual(chamber, round(since))
    ts, level = chamber[-1]
    fresh = ts >= since and found.ts - ts <= FRESH_MS
    return fresh and usual is not None and level > max(RISEN * usual, usual + RISEN_M)


def fell(chamber: Sequence[Reading], ts: int) -> bool:
    """Whether the chamber stood lower at that time than in the hours before.

    >>> fell([(n * 300_000, 0.3 if n < 60 else 0.1) for n in range(70)], 20_000_000)
    True
    """
    upto = bisect_right(chamber, (ts + HOUR_MS // 2, float("inf")))
    usual = _usual(chamber, ts - HOUR_MS)
    return usual is not None and upto > 0 and chamber[upto - 1][1] < FALLEN * usual


def _usual(chamber: Sequence[Reading], before_ms: int) -> float | None:
    levels = [level for ts, level in chamber if ts < before_ms]
    return median(levels) if len(levels) >= LEAST else None


def with_taken(
    readings: Sequence[Reading], taken: Sequence[tuple[int, Sequence[Reading]]]
) -> list[Reading]:
    """The flow at the mouth with what was taken above it; who says nothing takes nothing.

    >>> with_taken([(0, 12.0), (600_000, 8.0)], [(900_000, [(0, 0.0), (600_000, 4.0)])])
    [(0, 12.0), (600000, 12.0)]
    """
    if not taken:
        return list(readings)
    found = []
    for ts, lps in readings:
        for silent_ms, read in taken:
            at = bisect_right(read, (ts, float("inf")))
            if at and ts - read[at - 1][0] <= silent_ms:
                lps += read[at - 1][1]
        found.append((ts, lps))
    return found
