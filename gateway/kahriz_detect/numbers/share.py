# SPDX-License-Identifier: MIT
"""What one feed of a zone gives beyond its usual part: the mains say where water is drawn.

    e(h) = feed - c1 * all - c2 * all^2 - c3 * passed on

Pipes between two feeds share a leak by its place, all people by theirs: a leak moves e though the
use scatters by ten times as much. The c are learned within days, around each day's own mean: a
leak that runs all day has no voice in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MEMORY = 0.99  # of the days before, a day
RIDGE = 1e-3
DAY_H = 24


class Share:
    """The first of some feeds.

    Examples
    --------
    >>> share = Share()
    >>> for hour in range(24 * 30):
    ...     use = 30.0 + hour % 24
    ...     usual = share.hour(0.6 * use, use, 0.0)
    >>> round(share.hour(0.6 * 53.0 + 0.5, 53.0, 0.0) - usual, 2)
    0.5

    References
    ----------
    Daniel et al.: A sequential pressure-based algorithm for data-driven leakage identification
    and model-based localization, J. Water Resour. Plan. Manage. 148(6), 2022 (sensors regressed
    on each other: what all people do is in both).
    """

    def __init__(self) -> None:
        self.scale = 0.0  # L/s of the first day
        self.day: list[list[float]] = []
        self.square = [[0.0] * 3 for _ in range(3)]
        self.product = [0.0] * 3
        self.slope = [0.5, 0.0, 0.0]

    def hour(self, feed: float, total: float, passed: float) -> float:
        """An hour that is known."""
        if not self.scale:
            self.scale = max(abs(total), 1e-6)
        part = total / self.scale
        x = [part, part * part, passed / self.scale]
        y = feed / self.scale
        self.day.append([*x, y])
        rest = y - sum(c * v for c, v in zip(self.slope, x, strict=True))
        if len(self.day) >= DAY_H:
            self._learn()
        return rest * self.scale

    def _learn(self) -> None:
        n = len(self.day)
        middle = [sum(column) / n for column in zip(*self.day, strict=True)]
        for row in self.day:
            *x, y = (v - m for v, m in zip(row, middle, strict=True))
            for i in range(3):
                self.product[i] += x[i] * y
                for j in range(3):
                    self.square[i][j] += x[i] * x[j]
        self.day = []
        self.slope = _solved(self.square, self.product)
        self.product = [MEMORY * v for v in self.product]
        self.square = [[MEMORY * v for v in row] for row in self.square]

    def dump(self) -> Any:
        return [self.scale, self.day, self.square, self.product, self.slope]

    def load(self, state: Any) -> None:
        self.scale, self.day, self.square, self.product, self.slope = state


def _solved(square: Sequence[Sequence[float]], product: Sequence[float]) -> list[float]:
    """The slopes, by elimination; what never varies has none.

    >>> [round(v, 2) for v in _solved([[1, 0, 0], [0, 2, 0], [0, 0, 0]], [3, 4, 0])]
    [3.0, 2.0, 0.0]
    """
    n = len(product)
    rows = [[*row, product[i]] for i, row in enumerate(square)]
    for i in range(n):
        rows[i][i] += RIDGE
    for i in range(n):
        for j in range(i + 1, n):
            by = rows[j][i] / rows[i][i]
            rows[j] = [a - by * b for a, b in zip(rows[j], rows[i], strict=True)]
    found = [0.0] * n
    for i in reversed(range(n)):
        known = sum(rows[i][j] * found[j] for j in range(i + 1, n))
        found[i] = (rows[i][n] - known) / rows[i][i]
    return found
