# SPDX-License-Identifier: MIT
"""What a meter reads beyond the next one above it, block by block: a leaf lifts one weir alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kahriz_detect.frame import Frame

KEPT, MEMORY = 24, 40  # blocks
Last = Mapping[str, tuple[int, float]]


class Beside:
    """Some meters, each against the one above it, or alone where there is none.

    Examples
    --------
    >>> beside = Beside(["inlet"], {"inlet": "middle"})
    >>> for n, leaf in enumerate([0.0] * 30 + [1.0] * 4):
    ...     beside.step(Frame(n, 0, {"middle": 12.0}), {"inlet": (n, 11.5 + leaf)})
    ...     beside.close()
    ...     if not leaf:
    ...         beside.learn(n + 1)
    >>> round(beside.gain("inlet", 4), 2)
    1.0
    """

    def __init__(self, keys: Iterable[str], above: Mapping[str, str]) -> None:
        self.sums: dict[str, list[float]] = {k: [0.0, 0.0] for k in keys}
        self.above = {k: v for k, v in above.items() if k in self.sums}
        self.gains: dict[str, list[float]] = {k: [] for k in self.sums}  # newest last
        self.usual: dict[str, float] = {}

    def step(self, frame: Frame, last: Last) -> None:
        """One more frame; `last` has the newest value of each meter."""
        for key, sums in self.sums.items():
            up = frame.get(self.above[key]) if key in self.above else 0.0
            if up is not None:
                sums[0] += last[key][1] - up
                sums[1] += 1.0

    def close(self) -> None:
        """The block is over."""
        for key, (total, count) in self.sums.items():
            if count:
                self.gains[key] = [*self.gains[key][-KEPT + 1 :], total / count]
            self.sums[key] = [0.0, 0.0]

    def learn(self, seen: int) -> None:
        """The block was an ordinary one; `seen` with it."""
        for key, gains in self.gains.items():
            if gains:
                old = self.usual.setdefault(key, gains[-1])
                self.usual[key] = old + (gains[-1] - old) / min(seen, MEMORY)

    def gain(self, key: str, many: int) -> float:
        """How much more than usual the last blocks read."""
        now = self.gains[key][-many:]
        return sum(now) / len(now) - self.usual.get(key, 0.0) if now else 0.0

    def dump(self) -> Any:
        return [self.sums, self.gains, self.usual]

    def load(self, state: Any) -> None:
        self.sums, self.gains, self.usual = state
