# SPDX-License-Identifier: MIT
"""Nodes that have not been heard: silence is never good news.

    late = now - last word > periods * dt * batch + 2 minutes

Each arrival is a sample of the quantity `word`; the clock on the wall ticks. One upload may fail
and be tried again an hour later, so three periods are the default. When nobody at all is heard it
is not the nodes: access point, broker or power have one alarm together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample

SLACK_MS = 120_000
MANY = 3  # from so many nodes on, all of them silent have one cause


@dataclass(frozen=True, slots=True)
class Expected:
    """A node, the point it stands for, and the seconds between its uploads."""

    node: str
    place: str
    period_s: float


class Silence(Detector):
    """Silence of the nodes of a site.

    Parameters
    ----------
    site : the place of the alarm when nobody is heard.
    expected : who should be heard, and how often.
    periods : how many uploads may be missed.

    Examples
    --------
    >>> silence = Silence("here", [Expected("outlet", "outlet", 3600)])
    >>> silence.update(Sample(0, "outlet", "word", 1.0))
    []
    >>> [f.kind for f in silence.tick(4 * 3_600_000)]
    ['silent_node']
    >>> [f.what for f in silence.update(Sample(15_000_000, "outlet", "word", 1.0))]
    ['cleared']

    References
    ----------
    Nagel et al. (2015), doi 10.1021/acs.est.5b04077: sensors cut repairs from 152 days to 21.
    """

    kinds: tuple[str, ...] = ("silent_node", "gateway")
    by_clock = True

    def __init__(self, site: str, expected: list[Expected], periods: float = 3.0) -> None:
        if periods < 1 or any(e.period_s <= 0 for e in expected):
            raise ValueError("period_s must be positive, periods at least 1")
        self.site = site
        self.expected: Mapping[str, Expected] = {e.node: e for e in expected}
        self.periods = periods
        self.last_ms: dict[str, int] = {}
        self.silent: set[str] = set()
        self.deaf = False

    @property
    def name(self) -> str:
        return "silence"

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(self.expected)

    def update(self, sample: Sample) -> list[Finding]:
        """A word of a node, at the moment it arrived; an old one is no news."""
        node = sample.point
        if sample.quantity != "word" or node not in self.expected:
            return []
        if sample.ts <= self.last_ms.get(node, -1):
            return []
        found = []
        if self.deaf:  # somebody is back: the others have until their own next upload
            self.deaf = False
            self.excuse(sample.ts)
            found.append(Finding(CLEARED, "gateway", self.site, sample.ts))
        self.last_ms[node] = sample.ts
        if node in self.silent:
            self.silent.remove(node)
            place = self.expected[node].place
            found.append(Finding(CLEARED, "silent_node", place, sample.ts))
        return found

    def tick(self, watermark_ms: int) -> list[Finding]:
        """Here the watermark is the clock; the first tick stands for a first word."""
        for node in self.expected:
            last_ms = self.last_ms.get(node, watermark_ms)
            self.last_ms[node] = min(last_ms, watermark_ms)  # later: the clock was put back
        late = [n for n in self.expected if n not in self.silent and self._late(n, watermark_ms)]
        if self.deaf or not late:
            return []
        others_too = all(self._late(n, watermark_ms, periods=1.0) for n in self.expected)
        if others_too and len(self.expected) >= MANY and not self.silent:
            self.deaf = True
            since = max(self.last_ms.values())
            return [self._raised("gateway", self.site, watermark_ms, since)]
        self.silent.update(late)
        return [
            self._raised("silent_node", self.expected[n].place, watermark_ms, self.last_ms[n])
            for n in late
        ]

    def lasts(self, kind: str, place: str) -> bool:
        if kind == "gateway":
            return self.deaf
        return kind == "silent_node" and any(self.expected[n].place == place for n in self.silent)

    def excuse(self, now_ms: int) -> None:
        """Nobody could be heard until now: who is not known to be silent counts as heard."""
        for node in self.expected:
            if node not in self.silent:
                self.last_ms[node] = max(now_ms, self.last_ms.get(node, now_ms))

    def _late(self, node: str, now_ms: int, periods: float | None = None) -> bool:
        allowed_s = (periods or self.periods) * self.expected[node].period_s
        return now_ms - self.last_ms[node] > allowed_s * 1000 + SLACK_MS

    def _raised(self, kind: str, place: str, now_ms: int, since_ms: int) -> Finding:
        return Finding(RAISED, kind, place, now_ms, evidence={"since_ms": float(since_ms)})

    def dump(self) -> Any:
        return [self.last_ms, sorted(self.silent), self.deaf]

    def load(self, state: Any) -> None:
        last_ms, silent, self.deaf = state
        self.last_ms = {n: t for n, t in last_ms.items() if n in self.expected}
        self.silent = set(silent) & set(self.expected)
