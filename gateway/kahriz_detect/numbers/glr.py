# SPDX-License-Identifier: MIT
"""A mean that has moved: the last days against the weeks before, at several lengths at once.

    T_k = mean(last k days) - mean(BEFORE[k] days before them)        z_k = T_k / s_k

s_k is the scatter that T_k itself has shown here, so weather, season, growth and days that
resemble their neighbours are all in it: no assumption of independence is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, hypot
from typing import Any

from kahriz_detect.numbers.season import UNLIKE
from kahriz_detect.numbers.trimmed import Trimmed

A_DAY = 4  # blocks of six hours
KEPT = (14 + 10) * A_DAY
FEWEST = 7 * A_DAY  # values of T that tell its scatter
TRIM = 0.25  # of the blocks at either end
VOTE = 0.6  # of the whole rise
MEMORY_BLOCKS = 300.0
Z = {1: 4.5, 3: 4.0, 10: 3.5}  # days and how many scatters ring
BEFORE = {1: 4, 3: 6, 10: 14}  # and the days that they are held against

Explains = Callable[[int, float, float], float]  # of days, distance and scatter: what is season


def _nothing(days: int, far: float, scatter: float) -> float:
    return 0.0


class Moved:
    """Blocks of six hours and how far their mean has moved.

    Parameters
    ----------
    least : the smallest scatter in the unit of the blocks; no mean is surer than that.

    Examples
    --------
    >>> moved = Moved(least=0.1)
    >>> for block in range(120):
    ...     _ = moved.add(1.0 if block % 2 else -1.0, 1.0)
    >>> days, far, z = [moved.add(4.0, 1.0) for block in range(4)][-1]
    >>> days, round(far, 1), z > 5
    (1, 4.0, True)

    References
    ----------
    Basseville, Nikiforov: Detection of Abrupt Changes, 1993, ch. 2.4 (generalised likelihood
    ratio); windows of several lengths after Lai, J. R. Stat. Soc. B 57(4), 1995.
    """

    def __init__(self, least: float = 0.0) -> None:
        if least < 0:
            raise ValueError("least must not be negative")
        self.least = least
        self._now: dict[int, Trimmed] = {}  # of each number of days: the last ones
        self._before: dict[int, Trimmed] = {}  # and those that they are held against
        self.blocks = []
        self.scatter = dict.fromkeys(Z, 0.0)
        self.count = dict.fromkeys(Z, 0)

    @property
    def blocks(self) -> list[tuple[float, float]]:
        """Mean and weight of each, newest last; who sets them anew moves all windows."""
        return self._blocks

    @blocks.setter
    def blocks(self, blocks: list[tuple[float, float]]) -> None:
        self._blocks = blocks
        self._now, self._before = {}, {}
        for days in Z:
            first = len(blocks) - days * A_DAY
            self._now[days] = Trimmed(blocks[max(0, first) :], TRIM)
            before = blocks[max(0, first - BEFORE[days] * A_DAY) : max(0, first)]
            self._before[days] = Trimmed(before, TRIM)

    def far(self, days: int) -> float | None:
        """How far the last days lie from the weeks before."""
        n = days * A_DAY
        if len(self._blocks) < n + max(4, BEFORE[days] // 2) * A_DAY:
            return None
        now, before = self._now[days], self._before[days]
        if now.weight() < 0.6 * n or before.weight() < 0.5 * len(before.values):
            return None
        return now.mean() - before.mean()

    def _stays(self, days: int, far: float) -> bool:
        """A leak runs at all hours: the lowest quarter of the window must have risen too."""
        if not far:
            return False
        lowest, values = days * A_DAY // 4, self._now[days].values
        value = values[-lowest] if far < 0 else values[lowest - 1]
        return (value - self._before[days].mean()) / far > VOTE

    def _move(self, block: tuple[float, float]) -> None:
        """Each window by one block."""
        blocks = self._blocks
        blocks.append(block)
        for days, now in self._now.items():
            now.add(block)
            first = len(blocks) - days * A_DAY - 1
            if first < 0:
                continue
            before, last = self._before[days], first - BEFORE[days] * A_DAY
            now.drop(blocks[first])
            before.add(blocks[first])
            if last >= 0:
                before.drop(blocks[last])
        if len(blocks) > KEPT:
            del blocks[0]

    def add(
        self, value: float, weight: float, learn: bool = True, season: Explains = _nothing
    ) -> tuple[int, float, float]:
        """Take a block in; the days, distance and scatters of what stands out most."""
        self._move((value, weight))
        best, most = (0, 0.0, 0.0), 0.5  # of a limit: less is not worth a look
        for days, limit in Z.items():
            far = self.far(days)
            if far is None:
                continue
            scatter = max(self.scatter[days], self.least, 1e-9)
            z, explained = far / scatter if self.count[days] else 0.0, 0.0
            if abs(z) / limit > most:
                explained = season(days, far, scatter)
                z = (far - explained) / hypot(scatter, UNLIKE * explained)
            if self.count[days] >= FEWEST and abs(z) / limit > most and self._stays(days, far):
                most, best = abs(z) / limit, (days, far - explained, z)
            if learn and abs(z) < limit:
                self._learn(days, far)
        return best

    def _learn(self, days: int, far: float) -> None:
        """The scatter is the median of |T|: what rings now and then does not widen it."""
        self.count[days] += 1
        if self.count[days] <= 2 * A_DAY:
            self.scatter[days] += (1.25 * abs(far) - self.scatter[days]) / self.count[days]
            return
        step = max(1.0 / self.count[days], 1.0 / MEMORY_BLOCKS)
        more = abs(far) > 0.6745 * self.scatter[days]
        self.scatter[days] *= exp(step if more else -step)

    def rebase(self, far: float, days: int) -> None:
        """The last days are the new usual; what was before is moved to them."""
        n = days * A_DAY
        cut = len(self.blocks) - n
        self.blocks = [(v + far, w) if i < cut else (v, w) for i, (v, w) in enumerate(self.blocks)]

    def dump(self) -> Any:
        numbers = [[d, self.scatter[d], self.count[d]] for d in Z]
        return [self.least, [list(b) for b in self.blocks], numbers]

    def load(self, state: Any) -> None:
        self.least, blocks, numbers = state
        self.blocks = [(float(v), float(w)) for v, w in blocks]
        for days, scatter, count in numbers:
            self.scatter[days], self.count[days] = scatter, count
