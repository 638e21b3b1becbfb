# SPDX-License-Identifier: MIT
"""At what a meter rests: the lowest value of each day, while nothing is suspicious.

A gate that is shut most days lets its meter read zero then. One that no longer does has drifted,
or the gate leaks: whoever asks knows from elsewhere whether water is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median

DAYS = 20
REST = 0.03  # of its highest: a meter below that rests
FORGETS = 0.9999  # the highest, a frame
DAY_MS = 86_400_000


class Rests:
    """The daily lows of some meters.

    Examples
    --------
    >>> rests = Rests(["out"])
    >>> for n in range(3 * 144):
    ...     new_day = rests.step(Frame(n, n * 600_000, {"out": 20.0 if n % 144 < 30 else 0.01}))
    >>> rests.zero("out"), rests.above("out")
    (0.01, 0.0)
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self.lows: dict[str, list[float]] = {k: [] for k in keys}
        self.tops = dict.fromkeys(self.lows, 0.0)
        self.low = dict.fromkeys(self.lows, math.inf)  # of today
        self.day: int | None = None
        self._middles: dict[str, float] = {}  # of the lows, which change once a day

    def step(self, frame: Frame, learn: bool = True) -> bool:
        """Take a frame in; whether a new day begins."""
        day = frame.ts // DAY_MS
        new = day != self.day
        if new:
            for key, low in self.low.items():
                if learn and low < math.inf:
                    self.lows[key] = [*self.lows[key][-DAYS + 1 :], low]
            self.low = dict.fromkeys(self.lows, math.inf)
            self.day, self._middles = day, {}
        values, tops = frame.values, self.tops
        for key, low in self.low.items():
            value = values.get(key)
            if value is not None:
                if value < low:
                    self.low[key] = value
                top = tops[key] * FORGETS
                tops[key] = value if value > top else top
        return new

    def zero(self, key: str) -> float | None:
        """Where it rests; None for one that does not."""
        zero = self._middles.get(key)
        if zero is None:
            lows = self.lows[key]
            zero = self._middles[key] = median(lows) if lows else math.inf
        return zero if zero <= REST * self.tops[key] else None

    def above(self, key: str) -> float:
        """How far today's low lies above where it rests."""
        zero = self.zero(key)
        return math.inf if zero is None else self.low[key] - zero

    def dump(self) -> Any:
        low = {k: None if v == math.inf else v for k, v in self.low.items()}
        return [self.lows, self.tops, low, self.day]

    def load(self, state: Any) -> None:
        lows, tops, low, self.day = state
        self._middles = {}
        self.lows = {k: list(lows.get(k, [])) for k in self.lows}
        self.tops = {k: float(tops.get(k, 0.0)) for k in self.lows}
        self.low = {k: math.inf if low.get(k) is None else float(low[k]) for k in self.lows}
