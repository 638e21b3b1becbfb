# SPDX-License-Identifier: MIT
"""Has the use of a zone stepped up within the last hours, and do its feeds say so, too?

    T = mean(last k hours) - mean(B hours before them)        z = T / (f * s)

s follows from the scatter of the hours that are in T (a step at night is plainer than at noon), f
is what T has shown here beside it. A leak of q raises the use by q and moves the share of a feed
by no more than MOST * q either way. Both witnesses together:

    J^2 = zu^2 + zs^2 - (how far both lie from what any leak can do)^2

J of a leak and J of a repair are held against each other; what could be both waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

USE_Z = 4.0  # scatters beyond which people tell no more
LEAST_USE_Z = 1.0  # a share that moves without the use is a valve
SHORT_Z = 1.5  # scatters by which the use may fall short of what the share says
MOST = 0.4  # of a leak that one feed may give more or less than its usual part
DAY_H = 24
FEWEST = 200  # values of T that tell its scatter
MEMORY = 1500.0
LEAST = 0.004  # of the level: no mean is surer than that
HALF = 0.5  # of the rise: by so much either half of the window has risen
APART = 4.0  # J^2 of a leak beyond that of a repair
KEPT = 8 * DAY_H
LONG_H = 24  # windows from here on are looked at every so many hours
EVERY_H = 6
SETTLED_H = 4 * DAY_H
TINY = 1e-12  # no hour is without scatter


@dataclass(frozen=True, slots=True)
class Span:
    """The last `hours` against the `before` hours before them; `z` rings."""

    hours: int
    before: int
    z: float


SPANS: tuple[Span, ...] = (
    Span(2, 24, 6.5),
    Span(6, 48, 5.5),
    Span(24, 96, 5.0),
)


@dataclass(frozen=True, slots=True)
class Step:
    """What stands out: L/s of the use and of the share, their scatters, J of both sides."""

    span: Span
    use: float
    share: float
    z_use: float
    z_share: float
    leak: float
    repair: float

    @property
    def side(self) -> int:
        """1 for a leak, -1 for a repair, 0 for what could be both."""
        apart = self.leak**2 - self.repair**2
        return 0 if abs(apart) < APART else 1 if apart > 0 else -1

    @property
    def lps(self) -> float:
        """How much it is: what the use says, but no less than the share allows."""
        least = abs(self.share) / MOST if abs(self.z_share) > abs(self.z_use) else 0.0
        sign = 1.0 if self.leak >= self.repair else -1.0
        return sign * max(sign * self.use, least)


class Steps:
    """Hours of one zone: what is used and what a feed gives, both without what is usual.

    Examples
    --------
    >>> steps = Steps()
    >>> for hour in range(24 * 30):
    ...     off = 0.1 if hour % 2 else -0.1
    ...     found = steps.hour((off, 0.1), (0.1 * off, 0.01), 10.0)
    >>> found is None
    True
    >>> for hour in range(2):
    ...     found = steps.hour((2.0, 0.1), (0.4, 0.01), 10.0)
    >>> found.span.hours, found.side, round(found.use), round(found.share, 1)
    (2, 1, 2, 0.4)

    References
    ----------
    Basseville, Nikiforov: Detection of Abrupt Changes, 1993, ch. 2.4 (likelihood of a step);
    windows of several lengths after Lai, J. R. Stat. Soc. B 57(4), 1995.
    """

    def __init__(self) -> None:
        self.weights: list[list[float]] = [[], []]  # of the hours, for use and share
        self.weighed: list[list[float]] = [[], []]  # what they were, times the weight
        self.count = 0
        self.factors = [[1.0, 1.0] for _ in SPANS]  # of the scatter, for use and share
        self.seen = [0 for _ in SPANS]

    def hour(
        self,
        use: tuple[float, float],
        share: tuple[float, float],
        level: float,
        learn: bool = True,
    ) -> Step | None:
        """An hour that is known: each with its scatter; what stands out most, of a limit."""
        for weights, weighed, (value, scatter) in zip(
            self.weights, self.weighed, (use, share), strict=True
        ):
            weight = 1.0 / (scatter * scatter + TINY)
            weights.append(weight)
            weighed.append(weight * value)
            if len(weights) > KEPT:
                del weights[0], weighed[0]
        self.count += 1
        best, most = None, 1.0
        for n, span in enumerate(SPANS):
            if span.hours >= LONG_H and self.count % EVERY_H:
                continue
            if len(self.weights[0]) < span.hours + span.before:
                continue
            found = self._of(n, span, level, learn)
            if found is not None and max(found.leak, found.repair) > most * span.z:
                best, most = found, max(found.leak, found.repair) / span.z
        return best

    def _of(self, n: int, span: Span, level: float, learn: bool) -> Step | None:
        end = len(self.weights[0])
        begin = end - span.hours
        factor = self.factors[n]
        far, z, was = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
        for i in (0, 1):
            was[i], scatter = self._mean(i, begin - span.before, begin)
            new, fresh = self._mean(i, begin, end)
            far[i] = new - was[i]
            s = sqrt(fresh + scatter * DAY_H / span.before)
            z[i] = far[i] / max(s * factor[i], LEAST * abs(level) * (0.5 if i else 1.0), 1e-9)
            if learn and abs(z[i]) < span.z and s > 0.0:
                self._learn(n, i, far[i] / s)
        self.seen[n] += learn
        if self.seen[n] < FEWEST or USE_Z**2 + z[1] ** 2 <= span.z**2:  # nothing can ring
            return None
        short = (abs(far[1]) / MOST - abs(far[0])) / abs(far[0] / z[0]) if z[0] else SHORT_Z
        if abs(z[0]) < LEAST_USE_Z or short >= SHORT_Z:
            return None
        louder = 1 if abs(z[1]) > abs(z[0]) else 0
        half_way = begin + span.hours // 2
        for first, last in ((begin, half_way), (half_way, end)):
            if (self._mean(louder, first, last)[0] - was[louder]) / far[louder] <= HALF:
                return None
        if abs(z[0]) > USE_Z:
            z[0] = USE_Z if z[0] > 0.0 else -USE_Z
        leak, repair = (_joint(side * far[0], far[1], side * z[0], z[1]) for side in (1.0, -1.0))
        return Step(span, far[0], far[1], z[0], z[1], leak, repair)

    def _learn(self, n: int, i: int, off: float) -> None:
        """The factor is the median of |T| / s: what rings now and then does not widen it."""
        seen = self.seen[n] + 1
        if seen <= 2 * DAY_H:
            self.factors[n][i] += (1.25 * abs(off) - self.factors[n][i]) / seen
            return
        step = max(1.0 / seen, 1.0 / MEMORY)
        self.factors[n][i] *= exp(step if abs(off) > 0.6745 * self.factors[n][i] else -step)

    def _mean(self, column: int, begin: int, end: int) -> tuple[float, float]:
        """Weighted by what each hour can tell, and the square of such an hour's scatter."""
        weight = sum(self.weights[column][begin:end])
        return sum(self.weighed[column][begin:end]) / weight, (end - begin) / weight

    def rebase(self, use: float, share: float, hours: int, gap: int = 0) -> None:
        """The last hours are the new usual; what was before is moved to them."""
        end = len(self.weights[0])
        last = max(0, end - hours)
        first = max(0, last - gap)
        for i, by in enumerate((use, share)):
            new = self._mean(i, last, end)[0] if last < end else 0.0
            weights, weighed = self.weights[i], self.weighed[i]
            for n in range(last):
                weighed[n] = weighed[n] + weights[n] * by if n < first else weights[n] * new

    def settle(self, hours: int, gap: int) -> None:
        """Somebody else has found what began before so many hours."""
        end = len(self.weights[0])
        last = max(0, end - hours)
        first = last - gap
        if first > 0:
            was = (self._mean(i, max(0, first - SETTLED_H), first)[0] for i in (0, 1))
            now = (self._mean(i, last, end)[0] for i in (0, 1))
            use, share = (new - old for new, old in zip(now, was, strict=True))
            self.rebase(use, share, hours, gap)

    def forget(self) -> None:
        """Nothing is held against what was before a long gap."""
        self.weights, self.weighed = [[], []], [[], []]

    def dump(self) -> Any:
        return [self.weights, self.weighed, self.count, self.factors, self.seen]

    def load(self, state: Any) -> None:
        self.weights, self.weighed, self.count, self.factors, self.seen = state


def _joint(use: float, share: float, z_use: float, z_share: float) -> float:
    """J of a leak: what the nearest one that is possible leaves of both witnesses."""
    whole = z_use * z_use + z_share * z_share
    share, z_share = abs(share), abs(z_share)
    if use * MOST >= share:
        return sqrt(whole)
    a = use / z_use if z_use else 0.0  # scatters
    b = share / z_share if z_share else 0.0
    if not a or not b:
        return z_use if z_use > 0.0 else 0.0
    q = (use / a**2 + MOST * share / b**2) / (1.0 / a**2 + MOST**2 / b**2)
    if q <= 0.0:
        return 0.0
    return sqrt(max(0.0, whole - ((use - q) / a) ** 2 - ((share - MOST * q) / b) ** 2))
