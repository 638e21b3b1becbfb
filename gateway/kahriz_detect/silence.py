# SPDX-License-Identifier: MIT
"""A node that has not been heard: silence is never good news.

    late = now - last word > periods * dt * batch + 2 minutes

Each arrival is a sample of the quantity `word`; the clock on the wall ticks. One upload may fail
and be tried again an hour later, so three periods are the default.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample

SLACK_MS = 120_000


class Silence:
    """Silence of one node.

    Parameters
    ----------
    node, place : who is expected, and the point it stands for.
    period_s : seconds between its uploads.
    periods : how many may pass.

    Examples
    --------
    >>> silence = Silence("outlet", "outlet", period_s=3600)
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

    kinds: tuple[str, ...] = ("silent_node",)
    by_clock = True

    def __init__(self, node: str, place: str, period_s: float, periods: float = 3.0) -> None:
        if period_s <= 0 or periods < 1:
            raise ValueError("period_s must be positive, periods at least 1")
        self.node, self.place = node, place
        self.late_ms = int(periods * period_s * 1000) + SLACK_MS
        self.last_ms: int | None = None
        self.silent = False

    @property
    def name(self) -> str:
        return f"silence:{self.node}"

    @property
    def points(self) -> tuple[str, ...]:
        return (self.node,)

    def update(self, sample: Sample) -> list[Finding]:
        """A word of the node, at the moment it arrived."""
        if sample.quantity != "word" or sample.point != self.node:
            return []
        self.last_ms = max(sample.ts, self.last_ms or sample.ts)
        if not self.silent:
            return []
        self.silent = False
        return [Finding(CLEARED, "silent_node", self.place, sample.ts)]

    def tick(self, watermark_ms: int) -> list[Finding]:
        """Here the watermark is the clock; the first tick stands for a first word."""
        if self.last_ms is None:
            self.last_ms = watermark_ms
        if self.silent or watermark_ms - self.last_ms <= self.late_ms:
            return []
        self.silent = True
        evidence: dict[str, float | str] = {"since_ms": float(self.last_ms)}
        return [Finding(RAISED, "silent_node", self.place, watermark_ms, evidence=evidence)]

    def excuse(self, now_ms: int) -> None:
        """We were away ourselves: who was heard before counts as heard now."""
        if not self.silent:
            self.last_ms = now_ms

    def dump(self) -> Any:
        return [self.last_ms, self.silent]

    def load(self, state: Any) -> None:
        self.last_ms, self.silent = state
