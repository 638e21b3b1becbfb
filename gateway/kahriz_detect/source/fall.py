# SPDX-License-Identifier: MIT
"""The first word about a sudden loss at the mouth: two readings in a row, asked as they arrive.

    before = median of three hours, or of six readings where they are rare, up to half an hour ago
    rings when the newest < (1 - SHARE) * before, the one before it < (1 - SHARE / 4) * before,
    and both are below all but a few readings of the last day

The detectors wait for the other nodes, which speak by the hour; a collapse cannot wait. It is
`source_drop` as theirs is, one alarm with it. Only what is fresh counts, never a history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median, quantiles

from kahriz_detect.finding import CLEARED, RAISED, Finding

KIND = "source_drop"
SHARE = 0.2  # lost within the hour: a storm that fades falls by 2 % in it, a collapse by 30 to 100
BACK = 0.9
DAY_MS, HOURS_MS, SETTLED_MS, FRESH_MS = 86_400_000, 12_600_000, 1_800_000, 5_400_000
APART_MS = 2 * FRESH_MS  # of the two low ones: further apart they were not one loss
LEAST, USUAL = 20, 6  # readings of the day before, and of its last hours: fewer say nothing
OLD_MS = 32_400_000  # how far back the last six may reach where readings are rare
FLOOR_LPS = 0.5  # below that a weir says nothing about shares
LOW = 20  # below the lowest twentieth of the day's readings: a gate shut every night is no news


@dataclass(frozen=True, slots=True)
class State:
    """`before_lps` is set while it is open; what has been told is not told again."""

    upto: int = 0
    before_lps: float | None = None


def fresh_for(interval_s: float, batch: int) -> int:
    """One and a half batches: so late may what is news come from a node that is well."""
    return max(FRESH_MS, round(1500 * interval_s * batch))


def look(
    place: str,
    readings: Sequence[tuple[int, float]],
    state: State,
    now_ms: int,
    fresh_ms: int = FRESH_MS,
) -> tuple[State, Finding | None]:
    """Judge the newest readings (time, L/s) of the mouth, in order of time.

    `fresh_ms` is how old the newest may be: `fresh_for` a node that uploads in batches.

    Examples
    --------
    >>> day = [(n * 300_000, 12.0) for n in range(300)] + [(90_000_000, 6.1), (90_300_000, 6.0)]
    >>> state, found = look("outlet", day, State(), 90_310_000)
    >>> found.what, found.lps, look("outlet", day, state, 90_320_000)[1]
    ('raised', 6.0, None)
    """
    if len(readings) < 2 or readings[-1][0] <= state.upto:
        return state, None
    state = replace(state, upto=readings[-1][0])
    newest = readings[-2:]
    (since, first), (end, now) = newest
    if now_ms - end > fresh_ms or end - since > APART_MS:
        return state, None
    if state.before_lps is not None:
        if min(first, now) < BACK * state.before_lps:
            return state, None
        return replace(state, before_lps=None), Finding(CLEARED, KIND, place, end)
    settled = [(ts, lps) for ts, lps in readings[:-2] if end - DAY_MS < ts <= end - SETTLED_MS]
    day = [lps for _, lps in settled]
    hours = [lps for ts, lps in settled if end - HOURS_MS < ts]
    if len(hours) < USUAL:
        hours = [lps for ts, lps in settled[-USUAL:] if end - OLD_MS < ts]
    if len(day) < LEAST or len(hours) < USUAL:
        return state, None
    before = median(hours)
    fallen = now < (1.0 - SHARE) * before and first < (1.0 - SHARE / 4.0) * before
    if before < FLOOR_LPS or not fallen or max(first, now) >= quantiles(day, n=LOW)[0]:
        return state, None
    evidence: dict[str, float | str] = {
        "before_lps": round(before, 3),
        "now_lps": round(now, 3),
        "drop_share": round(1.0 - now / before, 3),
        "since_ms": float(since),
    }
    found = Finding(RAISED, KIND, place, end, round(before - now, 3), evidence=evidence)
    return replace(state, before_lps=before), found
