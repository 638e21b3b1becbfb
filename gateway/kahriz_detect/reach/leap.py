# SPDX-License-Identifier: MIT
"""A meter that leaps while all its neighbours stand still: an offset, for water moves them all.

    m_i = ln median(six hours after) - ln median(six hours before)       for each meter i

A weir in the middle of a chain moved alone, the chamber fell alone, the last weir reads more than
in any of the last weeks alone: no leak does that. The last weir that reads less alone may be a
leak, and the first alone without a chamber a storm on its way: neither is told here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median
from kahriz_detect.reach.balance import chains
from kahriz_detect.site import Site

HALF_S = 6 * 3600.0  # before and after; no wave is longer under way
SCATTERS = 6.0  # of a meter's own median noise
STILL = 0.3  # of the leap: neighbours move less
SUDDEN = 0.8  # share of the leap that came within an hour
DAYS, LEAST_DAYS = 30, 4  # of daily ratios: a mended leak does not lift a weir above all of them
LASTS_MS = 30 * 86_400_000
DAY_MS = 86_400_000
LEAST = 1e-3
NUMBER = itemgetter(0)


class Leap(Detector):
    """Offsets of meters along one conveyance, and of the chamber at its head.

    Parameters
    ----------
    chain : keys of the flows from the source down.
    chamber : level above the first of them.
    step_s : length of a frame.
    least : smallest leap worth a word, as a share of the reading.
    points : names of the keys in findings, where they differ.

    Examples
    --------
    >>> leap = Leap(["a", "b", "c"])
    >>> found = []
    >>> for i in range(1000):
    ...     b = 11.0 if i >= 900 else 12.0
    ...     found += leap.step(Frame(i, i * 600_000, {"a": 12.1, "b": b, "c": 11.8}))
    >>> [(f.kind, f.place, f.ts // 600_000) for f in found]
    [('sensor_fault:offset', 'b', 933)]

    References
    ----------
    ISO 25377 (2020), Hydrometric uncertainty guidance: systematic error of a gauge.
    """

    kinds = ("sensor_fault:offset",)

    def __init__(
        self,
        chain: Sequence[str],
        chamber: str | None = None,
        step_s: float = 600.0,
        least: float = 0.05,
        points: Mapping[str, str] | None = None,
    ) -> None:
        if len(chain) < 2 or step_s <= 0 or least <= 0:
            raise ValueError("a chain of two flows at least; step_s and least are positive")
        self.chain, self.chamber, self.least = tuple(chain), chamber, least
        self.half = max(6, round(HALF_S / step_s))
        self.hour = max(1, round(3600.0 / step_s / 2))
        self.keys = [*chain, *([chamber] if chamber else [])]
        self.names = {k: (points or {}).get(k, k) for k in self.keys}
        self.past: dict[str, list[tuple[int, float]]] = {k: [] for k in self.keys}
        self.ratios: dict[str, list[float]] = {k: [] for k in self.keys}  # daily, ln
        self.day = -1
        self.open: dict[str, list[float]] = {}  # key: ln before, ms

    @property
    def name(self) -> str:
        return f"leap:{self.chain[0]}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; once an hour the two half days are compared."""
        number, get, first = frame.number, frame.get, frame.number - 2 * self.half
        for key, past in self.past.items():
            value = get(key)
            if value is not None and value > LEAST:
                past.append((number, math.log(value)))
            while past and past[0][0] <= first:
                del past[0]
        if number % self.hour:
            return []
        found = self._over(frame.ts)
        for key in self.keys:
            if key in self.open:
                continue
            move = self._move(key, frame.number)
            if move is None or not self._alone(key, move, frame.number):
                continue
            shift, noise, before = move
            self.open[key] = [before, float(frame.ts), shift]
            evidence: dict[str, float | str] = {
                "leap_pct": round(100.0 * math.expm1(shift), 1),
                "scatter_pct": round(100.0 * noise, 2),
                "since_ms": float(frame.ts - round(HALF_S * 1000)),
            }
            found.append(self._finding(RAISED, key, frame.ts, evidence))
        day = frame.ts // DAY_MS
        if day != self.day:
            self.day = day
            self._remember()
        return found

    def _halves(self, key: str, number: int) -> tuple[list[float], list[float]]:
        middle = number - self.half
        past = self.past[key]
        return [v for n, v in past if n <= middle], [v for n, v in past if n > middle]

    def _move(self, key: str, number: int) -> tuple[float, float, float] | None:
        """Leap, noise and the level before, of what leapt within an hour and stayed."""
        past, m = self.past[key], self.half
        if len(past) == 2 * m:  # no gap: a quick look at the middle spares the medians
            step = past[m][1] + past[m + 1][1] + past[m + 2][1]
            step -= past[m - 1][1] + past[m - 2][1] + past[m - 3][1]
            if abs(step) < self.least:  # a third of it
                return None
        middle = bisect_right(past, number - m, key=NUMBER)
        if min(middle, len(past) - middle) < m // 2:
            return None
        near = self.hour * 2
        sudden = _level(past[middle : middle + near]) - _level(past[max(0, middle - near) : middle])
        if abs(sudden) < SUDDEN * self.least:
            return None
        before, after = self._halves(key, number)
        a, b = median(after), median(before)
        noise = median([abs(v - b) for v in before] + [abs(v - a) for v in after])
        shift = a - b
        least = self.least * (2.0 if key == self.chamber else 1.0)  # a level goes as the square
        if abs(shift) < max(least, SCATTERS * noise) or sudden / shift < SUDDEN:
            return None
        return shift, noise, b

    def _alone(self, key: str, move: tuple[float, float, float], number: int) -> bool:
        shift = move[0]
        if key == self.chamber:
            if shift > 0:  # stones before the opening lift it too
                return False
            near = [self.chain[0], self.chain[1]]
        elif key == self.chain[0]:
            if self.chamber is None:
                return False
            near = [self.chamber, self.chain[1]]
        elif key == self.chain[-1]:
            if shift < 0 or len(self.chain) < 3:
                return False
            near = list(self.chain[:-1])
        else:
            near = [k for k in self.chain if k != key]
        if any(k in self.open for k in near):
            return False
        for k in near:
            before, after = self._halves(k, number)
            if min(len(before), len(after)) < self.half // 2:
                return False
            if abs(median(after) - median(before)) > STILL * abs(shift):
                return False
        return self._never_before(key, shift)

    def _ratio(self, key: str) -> float | None:
        """The meter beside the next one: of a chamber the depth for its flow."""
        at = self.chain.index(key) if key != self.chamber else -1
        beside = self.chain[0 if at < 0 else at - 1 if at > 0 else 1]
        mine, other = (self.past[k][-self.half :] for k in (key, beside))
        if min(len(mine), len(other)) < self.half // 2:
            return None
        return median(v for _, v in mine) - (2.0 if at < 0 else 1.0) * median(v for _, v in other)

    def _remember(self) -> None:
        for key in self.keys:
            ratio = self._ratio(key)
            if ratio is not None and key not in self.open:
                self.ratios[key] = [*self.ratios[key][-DAYS + 1 :], ratio]

    def _never_before(self, key: str, shift: float) -> bool:
        """What is mended or cleaned gives back what was there before; an error is new."""
        now, known = self._ratio(key), sorted(self.ratios[key])
        if now is None or len(known) < LEAST_DAYS:
            return False
        more = now - known[-2] if shift > 0 else known[1] - now
        return more > 0.5 * abs(shift)

    def _over(self, ts: int) -> list[Finding]:
        found = []
        for key, (before, since, shift) in list(self.open.items()):
            after = [v for _, v in self.past[key][-self.half :]]
            if len(after) < self.half // 2:
                continue
            back = abs(median(after) - before) < STILL * abs(shift)
            if back or ts - since > LASTS_MS:
                del self.open[key]
                self.past[key] = self.past[key][-self.half :]
                found.append(self._finding(CLEARED, key, ts, {}))
        return found

    def dismiss(self, kind: str, place: str) -> None:
        for key in [k for k in self.open if (kind, place) == (self.kinds[0], self.names[k])]:
            del self.open[key]
            self.past[key] = []

    def _finding(self, what: str, key: str, ts: int, evidence: dict[str, float | str]) -> Finding:
        return Finding(what, "sensor_fault:offset", self.names[key], ts, evidence=evidence)

    def dump(self) -> Any:
        return [self.past, self.ratios, self.open, self.day]

    def load(self, state: Any) -> None:
        past, ratios, self.open, self.day = state
        self.past = {k: [(int(n), float(v)) for n, v in past.get(k, [])] for k in self.keys}
        self.ratios = {k: [float(r) for r in ratios.get(k, [])] for k in self.keys}


def _level(past: Sequence[tuple[int, float]]) -> float:
    return median([ln for _, ln in past])


def leaps(site: Site) -> list[Detector]:
    """One for each conveyance."""
    chambers = {s.outlet: s.chamber for s in site.sources}
    found: list[Detector] = []
    for chain in chains(site.reaches):
        keys = list(dict.fromkeys(k for r in chain for k in (r.up, r.down)))
        line = all(a.down == b.up for a, b in pairwise(chain))
        if line and len(keys) > 1:
            points = {s.key: s.point for s in site.signals}
            found.append(Leap(keys, chambers.get(keys[0]), site.step_s, points=points))
    return found
