# SPDX-License-Identifier: MIT
"""Frames of a signal gathered into blocks of half an hour: their median, in event time.

A median of three forgets a leaf that passes; a block without values is a gap and stays one.
"""

from __future__ import annotations

from typing import Any

BLOCK_S = 1800.0


def steps_of(step_s: float) -> int:
    """How many frames make a block."""
    return max(1, round(BLOCK_S / step_s))


class Blocks:
    """Medians per block of one signal, the newest `keep` of them.

    Examples
    --------
    >>> blocks = Blocks(keep=4, steps=3)
    >>> for step, lps in enumerate([8.0, 30.0, 8.2, 8.1]):
    ...     blocks.add(step, lps)
    >>> blocks.at(0), blocks.at(1), blocks.at(2)
    (8.2, 8.1, None)
    """

    __slots__ = ("_block", "_done", "_open", "keep", "steps")

    def __init__(self, keep: int, steps: int) -> None:
        self.keep = keep
        self.steps = steps
        self._block = -(10**12)
        self._open: list[float] = []
        self._done: dict[int, float] = {}

    def add(self, step: int, value: float) -> None:
        block = step // self.steps
        if block != self._block:
            self._shut()
            self._block = block
            done = self._done
            if len(done) > self.keep:
                while (first := next(iter(done), block)) <= block - self.keep:
                    del done[first]
        self._open.append(value)

    def _shut(self) -> None:
        values = self._open
        if values:
            values.sort()
            n = len(values)
            middle = values[n // 2] if n % 2 else 0.5 * (values[n // 2 - 1] + values[n // 2])
            self._done[self._block] = middle
            self._open = []

    def at(self, block: int) -> float | None:
        """The value of a block; None for a gap."""
        if block == self._block and self._open:
            self._shut()
        return self._done.get(block)

    def some(self, first: int, last: int) -> list[float]:
        """The values of the blocks first..last that have one, and it is not zero."""
        if first <= self._block <= last:
            self._shut()
        done = self._done
        return [v for b in range(first, last + 1) if (v := done.get(b))]

    def mean(self, first: int, last: int) -> tuple[float, int] | None:
        """Mean and number of the blocks first..last that have a value."""
        found = [v for b in range(first, last + 1) if (v := self._done.get(b)) is not None]
        return (sum(found) / len(found), len(found)) if found else None

    def dump(self) -> Any:
        return [self._block, self._open, list(self._done.items())]

    def load(self, state: Any) -> None:
        self._block, opened, done = state
        self._open = list(opened)
        self._done = {int(b): float(v) for b, v in done}
