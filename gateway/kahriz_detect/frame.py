# SPDX-License-Identifier: MIT
"""All signals of a site at one step of time, after the judges of validity have spoken."""

from __future__ import annotations

from collections.abc import Callable


class Frame:
    """The samples of (ts - step, ts]: their median for each signal that had good ones.

    `values` holds what can be believed, `raw` all there was. Where only a bound is known the
    value is the bound and `bounds` says "lt" or "gt". A signal that is missing was silent.
    `get(key)` gives a believed, exact value or None: every detector asks it for every frame.

    Examples
    --------
    >>> frame = Frame(7, 4_200_000, {"up": 12.0, "down": 11.5})
    >>> frame.doubt("down")
    >>> frame.get("up"), frame.get("down"), frame.raw["down"]
    (12.0, None, 11.5)
    """

    __slots__ = ("_exact", "bounds", "get", "number", "raw", "ts", "values")

    def __init__(
        self,
        number: int,
        ts: int,
        values: dict[str, float],
        bounds: dict[str, str] | None = None,
        raw: dict[str, float] | None = None,
    ) -> None:
        self.number = number
        self.ts = ts
        self.values = values
        self.bounds = bounds or {}
        self.raw = values if raw is None else raw
        self._exact = {k: v for k, v in values.items() if k not in bounds} if bounds else values
        self.get: Callable[[str], float | None] = self._exact.get

    def without(self, keys: frozenset[str]) -> Frame:
        """The same as a gap of some signals."""
        values = {k: v for k, v in self.values.items() if k not in keys}
        raw = {k: v for k, v in self.raw.items() if k not in keys}
        bounds = {k: v for k, v in self.bounds.items() if k not in keys}
        return Frame(self.number, self.ts, values, bounds, raw)

    def doubt(self, key: str) -> None:
        """A judge that needs neighbours takes a signal away from who comes after it."""
        if self.raw is self.values:  # as long as all is believed
            self.raw = dict(self.values)
        self.values.pop(key, None)
        self._exact.pop(key, None)
