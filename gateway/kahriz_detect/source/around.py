# SPDX-License-Identifier: MIT
"""What a few signals read within the last hour, and in the hours before it.

While people keep a place closed nothing of it becomes "before": what outlives the closure is
compared with what was before it, however long that took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kahriz_detect.numbers.middle import median

NOW, BEFORE = 2, 8  # values: an hour, and four hours before it


class Around:
    """The newest values of some signals.

    Examples
    --------
    >>> around = Around(["outlet"])
    >>> for lps in [12.0] * 8:
    ...     around.add({"outlet": lps}, closed=False)
    >>> for lps in [0.0] * 40:
    ...     around.add({"outlet": lps}, closed=True)
    >>> around.of("outlet"), around.of("outlet", closed=True)
    ((12.0, 12.0), (0.0, 12.0))
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self.last: dict[str, list[float]] = {k: [] for k in keys}
        self.shut: dict[str, list[float]] = {}  # the newest of a closure that runs

    def add(self, values: Mapping[str, float | None], closed: bool) -> None:
        if not closed:
            self.shut = {}
        for key, value in values.items():
            if value is None:
                continue
            if closed:
                self.shut[key] = [*self.shut.get(key, [])[-NOW + 1 :], value]
            else:
                self.last[key] = [*self.last[key][-(NOW + BEFORE) + 1 :], value]

    def of(self, key: str, closed: bool = False) -> tuple[float, float] | None:
        """Mean of now and median of before; None before enough is known."""
        last = self.last[key]
        if closed:
            now, before = self.shut.get(key, []), last
            if len(now) < NOW or len(before) < BEFORE // 2:
                return None
            return sum(now) / NOW, median(before)
        if len(last) < NOW + BEFORE // 2:
            return None
        return sum(last[-NOW:]) / NOW, median(last[:-NOW])

    def forget(self) -> None:
        self.last = {k: [] for k in self.last}
        self.shut = {}

    def dump(self) -> Any:
        return [self.last, self.shut]

    def load(self, state: Any) -> None:
        if isinstance(state, dict):  # of a version that knew no closures
            state = [state, {}]
        last, shut = state
        self.last = {k: list(last.get(k, [])) for k in self.last}
        self.shut = {str(k): list(v) for k, v in shut.items()}
