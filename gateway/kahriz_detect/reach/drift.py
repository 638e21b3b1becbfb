# SPDX-License-Identifier: MIT
"""A meter that drifts against its neighbours, too slowly for anything else to see.

    x_i(d) = ln of the day's median of meter i        r = x_i - x_neighbour
    drift  = median of r, last three days - median of r, three to six weeks ago

A meter in the middle of a chain that drifts moves against both of its neighbours, alike and to
opposite sides; water that is lost moves against one. The first has the chamber for its second
neighbour (level goes as the square of the flow), the last may only read more, never less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median
from kahriz_detect.reach.balance import chains
from kahriz_detect.site import Site

DAY_MS = 86_400_000
NOW, FIRST, LAST = 3, 42, 14  # days: what is now; where the reference begins and ends
FEWEST = 10  # days of the reference
SCATTERS = 5.0  # of the daily ratios
ALIKE = 0.5  # share in which both neighbours agree
SUDDEN = 0.6  # share of the drift that came in one day: that is a leap, not a drift
PERSIST, CALM, LASTS = 3, 3, 90  # days
BACK = 0.35  # of the drift that was told
LEAST = 1e-3


class Drift(Detector):
    """Slow errors of meters along one conveyance.

    Parameters
    ----------
    chain : keys of the flows from the source down.
    chamber : level above the first of them.
    step_s : length of a frame; one an hour is looked at.
    least : smallest drift worth a word, as a share of the reading.
    points : names of the keys in findings, where they differ.

    Examples
    --------
    >>> drift = Drift(["a", "b", "c"], step_s=3600)
    >>> found = []
    >>> for i in range(70 * 24):
    ...     b = 11.5 * (1.0 + 0.003 * max(0.0, i / 24 - 40))
    ...     found += drift.step(Frame(i, i * 3_600_000, {"a": 12.0, "b": b, "c": 11.0}))
    >>> [(f.kind, f.place, f.ts // 86_400_000) for f in found]
    [('sensor_fault:drift', 'b', 58)]

    References
    ----------
    Searcy, Hardison (1960), Double-mass curves, USGS Water-Supply Paper 1541-B.
    """

    kinds = ("sensor_fault:drift",)

    def __init__(
        self,
        chain: Sequence[str],
        chamber: str | None = None,
        step_s: float = 600.0,
        least: float = 0.04,
        points: Mapping[str, str] | None = None,
    ) -> None:
        if len(chain) < 2 or least <= 0 or step_s <= 0:
            raise ValueError("a chain of two flows at least; step_s and least are positive")
        self.every = max(1, round(3600.0 / step_s))
        self.chain, self.chamber, self.least = tuple(chain), chamber, least
        self.keys = [*chain, *([chamber] if chamber else [])]
        self.names = {k: (points or {}).get(k, k) for k in self.keys}
        self.day: int | None = None
        self.today: dict[str, list[float]] = {k: [] for k in self.keys}
        self.days: list[tuple[int, dict[str, float]]] = []
        self.runs = dict.fromkeys(chain, 0)
        self.open: dict[str, list[float]] = {}  # key: drift, day, calm days

    @property
    def name(self) -> str:
        return f"drift:{self.chain[0]}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a day is judged when the next one has begun."""
        if frame.number % self.every:
            return []
        found: list[Finding] = []
        day = frame.ts // DAY_MS
        if day != self.day:
            if self.day is not None:
                found = self._close(self.day)
            self.day, self.today = day, {k: [] for k in self.keys}
        for key, values in self.today.items():
            value = frame.get(key)
            if value is not None and value > LEAST:
                values.append(value)
        return found

    def _close(self, day: int) -> list[Finding]:
        most = max(len(v) for v in self.today.values())
        now = {
            k: math.log(median(v)) * (0.5 if k == self.chamber else 1.0)
            for k, v in self.today.items()
            if v and len(v) > most // 2
        }
        self.days = [(d, v) for d, v in self.days if d > day - FIRST]
        self.days.append((day, now))
        found = []
        for number, key in enumerate(self.chain):
            moved = self._moved(day, number)
            if moved is None:
                continue
            if key in self.open:
                found += self._over(key, day, moved)
                continue
            self.runs[key] = self.runs[key] + 1 if moved else 0
            if self.runs[key] >= PERSIST:
                self.runs[key] = 0
                self.open[key] = [moved, float(day), 0.0]
                evidence: dict[str, float | str] = {
                    "drift_pct": round(100.0 * math.expm1(moved), 1),
                    "since_ms": float((day - LAST) * DAY_MS),
                }
                found.append(self._finding(RAISED, key, day, evidence))
        return found

    def _moved(self, day: int, number: int) -> float | None:
        """Drift of one meter, 0 for none, None where nothing can be said."""
        key = self.chain[number]
        above = self.chain[number - 1] if number else self.chamber
        below = self.chain[number + 1] if number + 1 < len(self.chain) else None
        moves = [self._against(day, key, k) for k in (above, below) if k is not None]
        if any(m is None for m in moves) or not moves:
            return None
        sure = [m for m in moves if m is not None]
        size = min(sure, key=abs)
        if abs(size) < self.least:
            return 0.0
        if len(sure) == 1:  # the first without a chamber, and the last
            return size if size > 0 and number and self._others_stand(day, number) else 0.0
        alike = sure[0] * sure[1] > 0 and abs(sure[0] - sure[1]) < ALIKE * abs(size)
        return size if alike else 0.0

    def _others_stand(self, day: int, number: int) -> bool:
        """The last meter alone reads more than it has since the reference began."""
        if number < 2:
            return False
        beside = self._against(day, self.chain[number - 1], self.chain[number - 2])
        ratios = self._ratios(self.chain[number], self.chain[number - 1])
        before = [r for d, r in ratios if d <= day - NOW]
        now = [r for d, r in ratios if d > day - NOW]
        stands = beside is not None and abs(beside) < 0.5 * self.least
        return stands and bool(before and now) and median(now) > max(before)

    def _ratios(self, key: str, other: str) -> list[tuple[int, float]]:
        return [(d, v[key] - v[other]) for d, v in self.days if key in v and other in v]

    def _against(self, day: int, key: str, other: str) -> float | None:
        """How far a meter has moved against another; 0 when that is noise, or came at once."""
        ratios = self._ratios(key, other)
        now = [r for d, r in ratios if d > day - NOW]
        before = [r for d, r in ratios if d <= day - LAST]
        if len(now) < 2 or len(before) < FEWEST:
            return None
        usual = median(before)
        move = median(now) - usual
        scatter = 1.5 * median(abs(r - usual) for r in before)
        steps = [abs(b - a) for (_, a), (_, b) in pairwise(ratios)]
        if abs(move) < SCATTERS * scatter or max(steps) > SUDDEN * abs(move):
            return 0.0
        return move

    def _over(self, key: str, day: int, moved: float) -> list[Finding]:
        kept = self.open[key]
        back = abs(moved) < BACK * abs(kept[0])
        kept[2] = kept[2] + 1 if back else 0.0
        lasts = day - kept[1] > LASTS
        if kept[2] < CALM and not lasts:
            return []
        del self.open[key]
        why: dict[str, float | str] = {"explained_by": "lasts"} if lasts else {}
        return [self._finding(CLEARED, key, day, why)]

    def dismiss(self, kind: str, place: str) -> None:
        for key in [k for k in self.open if (kind, place) == (self.kinds[0], self.names[k])]:
            del self.open[key]
            for _, values in self.days:  # the others are held against each other as ever
                values.pop(key, None)

    def _finding(self, what: str, key: str, day: int, evidence: dict[str, float | str]) -> Finding:
        ts = (day + 1) * DAY_MS
        return Finding(what, "sensor_fault:drift", self.names[key], ts, evidence=evidence)

    def dump(self) -> Any:
        return [self.day, self.today, [[d, v] for d, v in self.days], self.runs, self.open]

    def load(self, state: Any) -> None:
        self.day, today, days, runs, opened = state
        self.today = {k: list(today.get(k, [])) for k in self.keys}
        self.days = [(int(d), {str(k): float(x) for k, x in v.items()}) for d, v in days]
        self.runs = {k: int(runs.get(k, 0)) for k in self.chain}
        self.open = {k: list(v) for k, v in opened.items()}


def drifts(site: Site) -> list[Detector]:
    """One for each conveyance that is one line."""
    chambers = {s.outlet: s.chamber for s in site.sources}
    points = {s.key: s.point for s in site.signals}
    found: list[Detector] = []
    for chain in chains(site.reaches):
        keys = list(dict.fromkeys(k for r in chain for k in (r.up, r.down)))
        if len(keys) > 1 and all(a.down == b.up for a, b in pairwise(chain)):
            found.append(Drift(keys, chambers.get(keys[0]), site.step_s, points=points))
    return found
