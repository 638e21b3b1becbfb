# SPDX-License-Identifier: MIT
"""When a pool will be full: said only while it fills steadily, never from a wave or a guess."""

from __future__ import annotations

from collections.abc import Sequence

LOOK_MS = 2 * 3_600_000  # what is judged: the last two hours
LEAST = 8  # volumes in it
HELD = 0.7  # of it must lie between the first volume and the last
STEADY = 0.3  # the two halves rise alike within this share
SURE = 4.0  # the rise in standard errors of its own scatter
FAR_MS = 24 * 3_600_000  # beyond a day nobody knows what is let out meanwhile


def full_at(
    volumes: Sequence[tuple[int, float]], full_m3: float, late_ms: int, now_ms: int
) -> int | None:
    """The moment at which the rise of the last two hours has filled the pool; None for unknown.

    `volumes` are (ms, m3) in order; the newest may be `late_ms` old.

    >>> rising = [(m * 60_000, 100.0 + 0.5 * m) for m in range(0, 121, 5)]
    >>> full_at(rising, 190.0, 600_000, 120 * 60_000) // 60_000
    180
    >>> full_at([(t, 100.0) for t, _ in rising], 190.0, 600_000, 120 * 60_000) is None
    True
    """
    known = [(t, v) for t, v in volumes if t <= now_ms]
    near = [(t, v) for t, v in known if t >= known[-1][0] - LOOK_MS]
    if len(near) < LEAST or now_ms - near[-1][0] > late_ms:
        return None
    if near[-1][0] - near[0][0] < HELD * LOOK_MS:
        return None
    middle = len(near) // 2
    rate, error = _slope(near)
    halves = _slope(near[:middle])[0], _slope(near[middle:])[0]
    if rate <= SURE * error or any(abs(half - rate) > STEADY * rate for half in halves):
        return None
    left = full_m3 - near[-1][1]
    wait = left / rate if left > 0 else 0.0
    return near[-1][0] + round(wait) if 0 < wait <= FAR_MS else None


def _slope(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Least squares: m3 a millisecond, and its standard error."""
    n = len(points)
    t0, v0 = sum(t for t, _ in points) / n, sum(v for _, v in points) / n
    sxx = sum((t - t0) ** 2 for t, _ in points)
    slope = sum((t - t0) * (v - v0) for t, v in points) / sxx if sxx else 0.0
    rest = sum((v - v0 - slope * (t - t0)) ** 2 for t, v in points)
    error = (rest / max(1, n - 2) / sxx) ** 0.5 if sxx else 0.0
    return slope, max(error, 1e-12)
