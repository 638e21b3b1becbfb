# SPDX-License-Identifier: MIT
"""An open finding of a reach: its size, the water lost, and when the water says it is over."""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.blocks import BLOCK_MS
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding

M3_PER_LPS = BLOCK_MS / 1000.0 / 1000.0
REPORT_BLOCKS = 4  # an open finding is refreshed each hour
SIZE_MEMORY = 48.0  # the size is the mean of the last half day
CLEAR_BLOCKS = {"leak": 96, "fouled_weir": 24, "balance_doubt": 24}  # in the band, gaps not counted
NOISE_COSTS = 4  # a block out of the band takes an hour of proof back
U_RATING = 0.05  # relative, standard: of a difference of two rated flows


class Episode:
    """Size and end of one finding.

    Examples
    --------
    >>> episode = Episode()
    >>> episode.begin("leak", "upper", 100, 97, [2.0, 2.2, 1.8], 0.3, {}).lps
    2.0
    """

    def __init__(self) -> None:
        self.kind: str | None = None
        self.place = ""
        self.since = 0
        self.blocks = 0
        self.lps = 0.0
        self.m3 = 0.0
        self.calm = 0

    def begin(
        self,
        kind: str,
        place: str,
        block: int,
        since: int,
        losses: list[float],
        scatter: float,
        evidence: dict[str, float | str],
    ) -> Finding:
        self.kind, self.place, self.since = kind, place, since
        self.blocks, self.calm = 1, 0
        self.lps = sum(losses) / len(losses)
        self.m3 = max(0.0, self.lps) * M3_PER_LPS * (block + 1 - since)
        return self._finding(RAISED, block, scatter, evidence)

    def follow(self, block: int, loss: float, band: float, scatter: float) -> list[Finding]:
        """One more quarter hour with data: a loss that stays out of its band goes on."""
        assert self.kind is not None
        calm = abs(loss) < min(band, max(0.5 * abs(self.lps), scatter))
        self.calm = self.calm + 1 if calm else max(0, self.calm - NOISE_COSTS)
        if self.calm >= CLEAR_BLOCKS[self.kind]:
            found = self._finding(CLEARED, block, scatter, {"calm_hours": self.calm / 4.0})
            self.kind = None
            return [found]
        if not calm:
            self.blocks += 1
            self.lps += (loss - self.lps) / min(self.blocks, SIZE_MEMORY)
            self.m3 += max(0.0, loss) * M3_PER_LPS
        if self.blocks % REPORT_BLOCKS or calm:
            return []
        return [self._finding(CHANGED, block, scatter, {})]

    def _finding(
        self, what: str, block: int, scatter: float, evidence: dict[str, float | str]
    ) -> Finding:
        assert self.kind is not None
        ts = (block + 1) * BLOCK_MS
        if self.kind == "balance_doubt":
            return Finding(what, self.kind, self.place, ts, evidence=evidence)
        mean = scatter * math.sqrt(2.0 / min(self.blocks, SIZE_MEMORY) + 0.1)
        u = 2.0 * math.hypot(mean, U_RATING * self.lps)
        m3 = self.m3 if self.kind == "leak" else None
        return Finding(what, self.kind, self.place, ts, self.lps, u, m3, evidence)

    def dump(self) -> Any:
        return [self.kind, self.place, self.since, self.blocks, self.lps, self.m3, self.calm]

    def load(self, state: Any) -> None:
        (self.kind, self.place, self.since, self.blocks, self.lps, self.m3, self.calm) = state
