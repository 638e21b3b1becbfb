# SPDX-License-Identifier: MIT
"""How long water is under way in a reach, learned from what changes above and then below.

    score(lag) = sum of min(|dQ_up(t - lag)|, |dQ_dn(t)|) * sign, over changes of 4 scatters

Only a change that stands out says something: a closure, a fall of stone, a storm. While nothing
changes a wrong travel time costs nothing.
"""

from __future__ import annotations

from typing import Any

CHANGE = 4.0  # scatters that a change must have
ENOUGH = 25.0  # scatters of agreeing changes before the first guess is left
AHEAD = 1.1  # and so much better than what is in use
SCALE_STEPS = 300.0


class Travel:
    """Travel time of one reach in steps.

    Parameters
    ----------
    guess : steps to start from.
    longest : steps that are thought possible; 0 keeps the guess.

    Examples
    --------
    >>> travel = Travel(guess=0, longest=12)
    >>> for n in range(400):
    ...     wave = 4.0 if n % 100 > 50 else 0.0
    ...     late = 4.0 if (n - 5) % 100 > 50 else 0.0
    ...     moved = travel.step(n, 12 + wave + n % 3 * 0.01, 11 + late + n % 2 * 0.01)
    >>> travel.lag, travel.learned
    (5, True)

    References
    ----------
    Knapp & Carter (1976), The generalized correlation method, IEEE ASSP 24: sign and size of
    what both signals share.
    """

    def __init__(self, guess: int, longest: int) -> None:
        self.lag = guess
        self.longest = longest
        self.learned = False
        self._score = [0.0] * (longest + 1)
        self._last: list[list[float]] = [[], []]
        self._scale = [0.0, 0.0]
        self._seen = 0
        self._pending: list[tuple[int, float]] = []

    def step(self, number: int, up: float | None, down: float | None) -> bool:
        """One step more; whether the travel time is another one now."""
        if self.longest == 0:
            return False
        rise = self._change(0, up)
        if rise:
            self._pending = [p for p in self._pending if number - p[0] <= self.longest]
            self._pending.append((number, rise))
        fall = self._change(1, down)
        if not fall:
            return False
        hit = False
        for then, change in self._pending:
            if number - then <= self.longest:
                size = min(abs(change), abs(fall))
                self._score[number - then] += size if change * fall > 0 else -size
                hit = True
        if hit:
            best = max(range(self.longest + 1), key=self._score.__getitem__)
            more = self._score[best] > AHEAD * self._score[min(self.lag, self.longest)]
            if self._score[best] > ENOUGH and (more or not self.learned):
                lag, self.lag, self.learned = self.lag, best, True
                return lag != best
        return False

    def _change(self, which: int, value: float | None) -> float:
        """Change over two steps in scatters; 0 where it does not stand out."""
        last = self._last[which]
        if value is None:
            last.clear()
            return 0.0
        if len(last) < 3:
            last.append(value)
            return 0.0
        first, second, third = last
        self._last[which] = [second, third, value]
        d = 0.5 * (value + third - second - first)
        scale = self._scale[which]
        self._seen = seen = self._seen + 1
        size = d if d >= 0 else -d
        if scale == 0.0:
            self._scale[which] = size
            return 0.0
        more = (size if size < 3.0 * scale else 3.0 * scale) - scale
        self._scale[which] = scale + more / (seen if seen < SCALE_STEPS else SCALE_STEPS)
        return d / scale if size > CHANGE * scale and seen > 100 else 0.0

    def dump(self) -> Any:
        return [
            self.lag,
            self.learned,
            self._score,
            self._last,
            self._scale,
            self._seen,
            self._pending,
        ]

    def load(self, state: Any) -> None:
        self.lag, self.learned, self._score, last, scale, self._seen, pending = state
        self._last, self._scale = [list(part) for part in last], list(scale)
        self._pending = [(int(n), float(d)) for n, d in pending]
