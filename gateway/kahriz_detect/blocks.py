# SPDX-License-Identifier: MIT
"""Samples of a point gathered into blocks of a quarter hour: their median, in event time.

A median of three forgets a leaf that passes; a block without samples is a gap and stays one.
"""

from __future__ import annotations

from statistics import median
from typing import Any

BLOCK_MS = 900_000


class Blocks:
    """Medians per block of one point, the newest `keep` of them.

    Examples
    --------
    >>> blocks = Blocks(keep=4)
    >>> for minute, lps in [(0, 8.0), (5, 8.2), (10, 30.0), (15, 8.1)]:
    ...     blocks.add(minute * 60_000, lps)
    >>> blocks.at(0.0)
    8.2
    >>> blocks.at(7.0) is None
    True
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._open: dict[int, list[float]] = {}

    def add(self, ts: int, value: float) -> None:
        block = ts // BLOCK_MS
        self._open.setdefault(block, []).append(value)
        for old in [b for b in self._open if b < block - self.keep]:
            del self._open[old]

    def at(self, block: float) -> float | None:
        """The value at a block, which may lie between two; None next to a gap."""
        low = int(block // 1)
        part = block - low
        here = self._open.get(low)
        if part < 1e-9:
            return None if here is None else median(here)
        there = self._open.get(low + 1)
        if here is None or there is None:
            return None
        return median(here) * (1.0 - part) + median(there) * part

    def dump(self) -> Any:
        return [[block, values] for block, values in self._open.items()]

    def load(self, state: Any) -> None:
        self._open = {int(block): list(values) for block, values in state}
