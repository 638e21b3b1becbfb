# SPDX-License-Identifier: MIT
"""A mean that has moved: the last days against the weeks before, at several lengths at once.

    T_k = mean(last k days) - mean(BEFORE[k] days before them)        z_k = T_k / s_k

s_k is the scatter that T_k itself has shown here, so weather, season, growth and days that
resemble their neighbours are all in it: no assumption of independence is needed.
"""

from __future__ import annotations

from itertools import starmap
from math import exp
from operator import itemgetter, mul
from typing import Any

A_DAY = 4  # blocks of six hours
KEPT = (14 + 10) * A_DAY
FEWEST = 7 * A_DAY  # values of T that tell its scatter
TRIM = 0.25  # of the blocks at either end
VOTE = 0.6  # of the whole rise
MEMORY_BLOCKS = 300.0
Z = {1: 4.5, 3: 4.0, 10: 3.5}  # days and how many scatters ring
VALUE, WEIGHT = itemgetter(0), itemgetter(1)  # of a block
BEFORE = {1: 4, 3: 6, 10: 14}  # and the days that they are held against


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
        self.blocks: list[tuple[float, float]] = []  # mean and weight, newest last
        self.scatter = dict.fromkeys(Z, 0.0)
        self.count = dict.fromkeys(Z, 0)

    def far(self, days: int) -> float | None:
        """How far the last days lie from the weeks before."""
        blocks, n = self.blocks, days * A_DAY
        if len(blocks) < n + max(4, BEFORE[days] // 2) * A_DAY:
            return None
        before = blocks[:-n][-BEFORE[days] * A_DAY :]
        now, weight = _mean(blocks[-n:], TRIM)
        usual, usual_weight = _mean(before, TRIM)
        if weight < 0.6 * n or usual_weight < 0.5 * len(before):
            return None
        return now - usual

    def _stays(self, days: int, far: float) -> bool:
        """A leak runs at all hours: the lowest quarter of the window must have risen too."""
        n = days * A_DAY
        usual, _ = _mean(self.blocks[:-n][-BEFORE[days] * A_DAY :], TRIM)
        values = sorted((v for v, _ in self.blocks[-n:]), reverse=far < 0)
        return (values[n // 4 - 1] - usual) / far > VOTE if far else False

    def add(self, value: float, weight: float, learn: bool = True) -> tuple[int, float, float]:
        """Take a block in; the days, distance and scatters of what stands out most."""
        self.blocks.append((value, weight))
        if len(self.blocks) > KEPT:
            del self.blocks[0]
        best, most = (0, 0.0, 0.0), 0.5  # of a limit: less is not worth a look
        for days, limit in Z.items():
            far = self.far(days)
            if far is None:
                continue
            z = far / max(self.scatter[days], self.least, 1e-9) if self.count[days] else 0.0
            if self.count[days] >= FEWEST and abs(z) / limit > most and self._stays(days, far):
                most, best = abs(z) / limit, (days, far, z)
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


def _mean(blocks: list[tuple[float, float]], trim: float) -> tuple[float, float]:
    """Without the highest and lowest share `trim`: one odd evening is not a new usual."""
    weight = sum(map(WEIGHT, blocks))
    out = int(len(blocks) * trim)
    kept = sorted(blocks, key=VALUE)[out : len(blocks) - out]
    total = sum(map(WEIGHT, kept))
    return (sum(starmap(mul, kept)) / total if total else 0.0), weight
