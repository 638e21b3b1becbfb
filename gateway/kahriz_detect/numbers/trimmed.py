# SPDX-License-Identifier: MIT
"""Weighted values in order of size, for their mean without the highest and the lowest of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Trimmed:
    """A window of values that come and go one by one.

    Parameters
    ----------
    blocks : values with their weights, the oldest first.
    share : of the values, left out at either end: one odd evening is not a new usual.

    Examples
    --------
    >>> window = Trimmed([(1.0, 1.0), (2.0, 1.0), (4.0, 3.0), (90.0, 1.0)], share=0.25)
    >>> window.mean(), window.weight()
    (3.5, 6.0)
    >>> window.add((3.0, 4.0))
    >>> window.drop((90.0, 1.0))
    >>> window.mean()
    2.8
    """

    __slots__ = ("_products", "_share", "_weights", "values")

    def __init__(self, blocks: Iterable[tuple[float, float]], share: float) -> None:
        if not 0.0 <= share < 0.5:
            raise ValueError("share must be at least 0 and below a half")
        self._share = share
        ordered = sorted(blocks, key=lambda block: block[0])
        self.values = [value for value, _ in ordered]
        self._weights = [weight for _, weight in ordered]
        self._products = [value * weight for value, weight in ordered]

    def add(self, block: tuple[float, float]) -> None:
        value, weight = block
        at = bisect_right(self.values, value)
        self.values.insert(at, value)
        self._weights.insert(at, weight)
        self._products.insert(at, value * weight)

    def drop(self, block: tuple[float, float]) -> None:
        """One that is in the window; of equal ones the oldest."""
        at = bisect_left(self.values, block[0])
        del self.values[at], self._weights[at], self._products[at]

    def mean(self) -> float:
        out = int(len(self.values) * self._share)
        kept = slice(out, len(self.values) - out)
        weight = sum(self._weights[kept])
        return sum(self._products[kept]) / weight if weight else 0.0

    def weight(self) -> float:
        """Of all of them."""
        return sum(self._weights)
