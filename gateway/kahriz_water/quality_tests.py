# SPDX-License-Identifier: MIT
"""The QARTOD tests of a series: gap, gross range, spike, rate of change, flat line.

Pure and without a memory: a series in, one flag for each of its values out; None is a value that
is missing. Same flags as `ioos_qc.qartod` (the tests prove it), in plain Python.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import sub

from kahriz_water.quality import FAIL, MISSING, NOT_EVALUATED, PASS, SUSPECT
from kahriz_water.quality_limits import Limits

FOREVER_S = 2**40
GAP = 3.5  # intervals without a value: what is on the other side is not a neighbour
Series = Sequence[float | None]


def gaps(times_ms: Sequence[int], dt_s: float) -> list[tuple[int, int]]:
    """Gap test: the spans, from the last value to the next, in which values should have come.

    >>> gaps([0, 300_000, 3_000_000], 300.0)
    [(300000, 3000000)]
    """
    longest_ms = GAP * dt_s * 1000.0
    pairs = itertools.pairwise(times_ms)
    return [(a, b) for a, b in pairs if b - a > longest_ms]


def gross_range(
    values: Series, fail: tuple[float, float], suspect: tuple[float, float] | None = None
) -> list[int]:
    """Outside of what the sensor can say: fail. Outside of what the site can have: suspect.

    >>> gross_range([1.0, 9.0, 11.0, None], (0.0, 10.0), (0.0, 5.0))
    [1, 3, 4, 9]
    """
    flags = []
    for x in values:
        if x is None:
            flags.append(MISSING)
        elif not fail[0] <= x <= fail[1]:
            flags.append(FAIL)
        elif suspect is not None and not suspect[0] <= x <= suspect[1]:
            flags.append(SUSPECT)
        else:
            flags.append(PASS)
    return flags


def spike(values: Series, suspect: float | None, fail: float | None) -> list[int]:
    """A value that sticks out from both neighbours to the same side; a step is no spike.

    >>> spike([1.0, 1.0, 5.0, 1.0, 1.0], 2.0, 10.0)
    [2, 1, 3, 1, 2]
    """
    flags = []
    last = len(values) - 1
    for i, x in enumerate(values):
        before, after = (values[i - 1], values[i + 1]) if 0 < i < last else (None, None)
        if x is None:
            flags.append(MISSING)
        elif before is None or after is None:
            flags.append(NOT_EVALUATED)
        else:
            rise, fall = x - before, after - x
            height = min(abs(rise), abs(fall)) if rise * fall < 0 else 0.0
            flags.append(_graded(height, suspect, fail))
    return flags


def rate_of_change(
    times_ms: Sequence[int], values: Series, suspect_per_s: float | None, fail_per_s: float | None
) -> list[int]:
    """A value that has moved faster from the one before than water can.

    >>> rate_of_change([0, 60_000, 120_000], [1.0, 1.1, 3.0], 0.01, None)
    [1, 1, 3]
    """
    flags = []
    for i, x in enumerate(values):
        before = values[i - 1] if i else None
        if x is None:
            flags.append(MISSING)
        elif before is None:
            flags.append(PASS)
        else:
            seconds = (times_ms[i] - times_ms[i - 1]) / 1000.0
            speed = abs(x - before) / seconds if seconds > 0 else 0.0
            flags.append(_graded(speed, suspect_per_s, fail_per_s))
    return flags


def flat_line(
    times_ms: Sequence[int],
    values: Series,
    suspect_s: int | None,
    fail_s: int | None,
    tolerance: float,
) -> list[int]:
    """A sensor that has said the same for too long: the spread of that long is under `tolerance`.

    >>> flat_line([0, 60_000, 120_000, 180_000], [2.0, 2.0, 2.0, 3.0], 120, None, 0.5)
    [1, 1, 3, 1]
    """
    flags = []
    for i, x in enumerate(values):
        if x is None:
            flags.append(MISSING)
        elif _is_flat(times_ms, values, i, fail_s, tolerance):
            flags.append(FAIL)
        elif _is_flat(times_ms, values, i, suspect_s, tolerance):
            flags.append(SUSPECT)
        else:
            flags.append(PASS)
    return flags


def _is_flat(
    times_ms: Sequence[int], values: Series, i: int, seconds: int | None, tolerance: float
) -> bool:
    """Walks back while the spread is small; most series end after a step or two."""
    if seconds is None:
        return False
    low = high = values[i]
    assert low is not None
    assert high is not None
    for j in range(i, -1, -1):
        x = values[j]
        if x is None:
            return False
        low, high = min(low, x), max(high, x)
        if not high - low < tolerance:
            return False
        if times_ms[i] - times_ms[j] >= seconds * 1000:
            return True
    return False


def _graded(size: float, suspect: float | None, fail: float | None) -> int:
    if fail is not None and size > fail:
        return FAIL
    return SUSPECT if suspect is not None and size > suspect else PASS


def segments(times_ms: Sequence[int], dt_s: float) -> list[slice]:
    """A series cut at its gaps."""
    if len(times_ms) > 1 and max(map(sub, times_ms[1:], times_ms)) <= GAP * dt_s * 1000.0:
        return [slice(0, len(times_ms))]
    starts = [0] + [i for i, (_, b) in _after_gaps(times_ms, dt_s)] + [len(times_ms)]
    return [slice(a, b) for a, b in itertools.pairwise(starts) if b > a]


def _after_gaps(times_ms: Sequence[int], dt_s: float) -> list[tuple[int, tuple[int, int]]]:
    wide = set(gaps(times_ms, dt_s))
    pairs = enumerate(itertools.pairwise(times_ms), 1)
    return [(i, pair) for i, pair in pairs if pair in wide]


def flags_of(
    times_ms: Sequence[int], values: Sequence[float], limits: Limits, dt_s: float
) -> list[int]:
    """All tests over a series, each piece between gaps by itself: the worst flag of each value.

    A test that could not be made (a spike without its right neighbour yet) says nothing.
    """
    flags = [PASS] * len(values)
    span = limits.suspect_range
    rates = [
        None if per_min is None else per_min / 60.0
        for per_min in (limits.rate_suspect_per_min, limits.rate_fail_per_min)
    ]
    for piece in segments(times_ms, dt_s):
        t, x = times_ms[piece], values[piece]
        if _calm(t, x, limits):
            continue
        found = [
            spike(x, limits.spike_suspect, limits.spike_fail),
            rate_of_change(t, x, *rates),
            flat_line(t, x, limits.flat_suspect_s, limits.flat_fail_s, limits.flat_tolerance),
        ]
        if span is not None:
            found.append(gross_range(x, (float("-inf"), float("inf")), span))
        flags[piece] = [
            max((f for f in of_one if f != NOT_EVALUATED), default=PASS)
            for of_one in zip(*found, strict=True)
        ]
    return flags


def _calm(times_ms: Sequence[int], values: Sequence[float], limits: Limits) -> bool:
    """Whether no test can object to any of these values: true of most, and quickly seen."""
    low, high = min(values), max(values)
    span = limits.suspect_range
    if span is not None and not (span[0] <= low and high <= span[1]):
        return False
    flat_s = min(s for s in (limits.flat_suspect_s, limits.flat_fail_s, FOREVER_S) if s is not None)
    if times_ms[-1] - times_ms[0] >= flat_s * 1000:
        return False
    if len(values) < 2:
        return True
    step = max(map(abs, map(sub, values[1:], values)))
    shortest_s = min(map(sub, times_ms[1:], times_ms)) / 1000.0
    if shortest_s <= 0.0:
        return False
    sizes = (
        (step, limits.spike_suspect),
        (step, limits.spike_fail),
        (step / shortest_s * 60.0, limits.rate_suspect_per_min),
        (step / shortest_s * 60.0, limits.rate_fail_per_min),
    )
    return all(most is None or size < most for size, most in sizes)
