# SPDX-License-Identifier: MIT
"""The ledger of one journal: which numbers are held, which are missing, what a receipt may say.

Pure: numbers in, numbers out. A number is *held* when its row is stored or closed with a reason.
Ranges are inclusive [a, b]; `missing` is sorted, apart, and lies below `top`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from kahriz_wire import ranges
from kahriz_wire.messages import MISSING_MOST

Range = list[int]
GAPS_MOST = 4_096  # of a journal: a node in order has a dozen, and each message pays for all


class Ledger:
    """What is known of one journal. `s` is None until its first hello: nobody to answer."""

    __slots__ = ("first", "missing", "next", "s", "top")

    def __init__(
        self,
        top: int = 0,
        missing: list[Range] | None = None,
        s: str | None = None,
        first: int = 1,
        next: int = 1,
    ) -> None:
        self.top = top
        self.missing: list[Range] = missing if missing is not None else []
        self.s = s
        self.first = first
        self.next = next

    def lacks(self, n: int) -> bool:
        """Whether n is surely not here. False: it is stored, or closed with a reason."""
        return n > self.top or self._at(n) is not None

    def hold(self, n: int) -> None:
        """n is stored or closed."""
        if n > self.top:
            self._grow(n - 1)
            self.top = n
            return
        i = self._at(n)
        if i is not None:
            a, b = self.missing[i]
            self.missing[i : i + 1] = [r for r in ([a, n - 1], [n + 1, b]) if r[0] <= r[1]]

    def hold_new(self, numbers: Sequence[int]) -> bool:
        """Hold all of these rising numbers when each lies above all we know; else none of them."""
        if not numbers or numbers[0] <= self.top or len(self.missing) >= GAPS_MOST:
            return False
        if numbers[-1] - numbers[0] == len(numbers) - 1:
            self._grow(numbers[0] - 1)
            self.top = numbers[-1]
        else:
            for n in numbers:
                self.hold(n)
        return True

    def hello(self, s: str, first: int, next: int) -> list[Range]:
        """A node says what it holds; returns what nobody has any more, to be closed."""
        self.s, self.first, self.next = s, first, next
        self._grow(next - 1)
        return self.close(1, first - 1)

    def close(self, a: int, b: int) -> list[Range]:
        """Close what is missing of a…b; returns exactly what was. What is held stays as it is."""
        self._grow(min(b, self.next - 1))
        i = self._after(a)
        end = bisect_right(self.missing, b, key=_begin)
        touched = self.missing[i:end]
        if a > b or not touched:
            return []
        edges = [touched[0][0], a - 1], [b + 1, touched[-1][1]]
        self.missing[i:end] = [r for r in edges if r[0] <= r[1]]
        return [[max(a, low), min(b, high)] for low, high in touched]

    def too_many(self, spans: Sequence[Range]) -> bool:
        """Whether to hold these would break what is missing into more gaps than are kept."""
        if len(self.missing) + len(spans) <= GAPS_MOST:
            return False
        more = 0
        for a, b in ranges.normal([list(span) for span in spans]):
            i = self._after(a)
            within = self.missing[i] if i < len(self.missing) else [self.top + 1, b + 1]
            more += within[0] < a and b < within[1]
        return more > 0 and len(self.missing) + more > GAPS_MOST

    def reopen(self, back: list[Range]) -> None:
        """What was closed may be had after all: it is missing again."""
        self.missing = ranges.normal(self.missing + [list(r) for r in back])

    def statement(self) -> tuple[int, list[Range]]:
        """`upto` and `missing` of a receipt: at most 16 ranges, all below the hello's `next`.

        `upto` is the largest n such that every number from 1 to it is held or listed.
        """
        listed: list[Range] = []
        for a, b in self.missing:
            if a >= self.next or len(listed) == MISSING_MOST:
                return a - 1, listed
            listed.append([a, min(b, self.next - 1)])
            if b >= self.next:
                return self.next - 1, listed
        return self.top, listed

    def _grow(self, top: int) -> None:
        if top > self.top:
            if self.missing and self.missing[-1][1] == self.top:
                self.missing[-1][1] = top
            else:
                self.missing.append([self.top + 1, top])
            self.top = top

    def _at(self, n: int) -> int | None:
        i = bisect_right(self.missing, n, key=_begin) - 1
        return i if i >= 0 and n <= self.missing[i][1] else None

    def _after(self, n: int) -> int:
        """The first gap that ends at n or later."""
        i = bisect_right(self.missing, n, key=_begin) - 1
        return i if i >= 0 and n <= self.missing[i][1] else i + 1


def _begin(gap: Range) -> int:
    return gap[0]
