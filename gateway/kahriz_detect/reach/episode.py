# SPDX-License-Identifier: MIT
"""An open finding of a reach: its size, the water lost, whether it stays, and when it is over.

A leak runs day and night until somebody mends it. What stops by itself after some hours, and
comes back at like hours, is taken: tapping. So each run above half of the size is timed.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding

REPORT_BLOCKS = 2  # an open finding is refreshed each hour
SIZE_MEMORY = 24.0  # blocks: the size is the mean of the last half day in which it ran
CLEAR_H = {"leak": 24.0, "tapping": 96.0}
ELSE_CLEAR_H = 6.0
STAYS_H = 9.0  # who takes water does so for a night at most
STOPPED_H = 1.5  # so long must it be away to have stopped by itself
SMOOTH = 4.0  # a small loss is looked at in means of which the scatter is a fourth of it
NOISE_COSTS = 2.0  # a block out of the band takes some proof back
U_RATING = 0.05  # relative, standard: of a difference of two rated flows


class Episode:
    """Size, kind and end of one finding.

    Examples
    --------
    >>> episode = Episode(block_ms=1_800_000)
    >>> episode.begin("leak", "upper", 100, 97, 2.0, 0.3, {}).lps
    2.0
    """

    def __init__(self, block_ms: int) -> None:
        self.block_ms = block_ms
        self.second = False  # it began on top of another that was open
        self.kind: str | None = None
        self.place = ""
        self.since = 0
        self.begun = 0
        self.blocks = 0
        self.lps = 0.0
        self.m3 = 0.0
        self.calm = 0.0  # blocks
        self.run_since = 0
        self.runs = 0  # that stopped by themselves
        self.stays = False  # it once ran longer than anybody takes
        self.last: list[float] = []

    @property
    def hot(self) -> bool:
        """Whether it runs now."""
        return self.kind is not None and self.calm <= 2

    @property
    def told(self) -> tuple[str, str] | None:
        """Kind and place under which it is known outside."""
        if self.kind is None:
            return None
        return f"{self.kind}:second" if self.second else self.kind, self.place

    def begin(
        self,
        kind: str,
        place: str,
        block: int,
        since: int,
        lps: float,
        scatter: float,
        evidence: dict[str, float | str],
    ) -> Finding:
        self.kind, self.place, self.since, self.begun = kind, place, since, block
        self.blocks, self.calm, self.last = max(1, block - since + 1), 0.0, []
        self.run_since, self.runs, self.stays = since, 0, False
        self.lps = lps
        self.m3 = max(0.0, lps) * self._m3 * (block + 1 - since)
        return self._finding(RAISED, block, scatter, evidence)

    def follow(self, block: int, loss: float, band: float, scatter: float) -> list[Finding]:
        """One more block with data: a loss that stays out of its band goes on."""
        assert self.kind is not None
        many = min(12, max(3, round((SMOOTH * scatter / max(abs(self.lps), 1e-9)) ** 2)))
        self.last = [*self.last, loss][-many:]
        if many == 3:
            middle = sorted(self.last)[len(self.last) // 2]
        else:
            middle = sum(self.last) / len(self.last)
        calm = abs(middle) < 0.5 * abs(self.lps) or middle * self.lps < 0
        hours = self.block_ms / 3_600_000.0
        if calm:
            if self.calm <= 0:
                self.calm = 0.0
            self.calm += 1
        else:
            if self.calm * hours >= STOPPED_H:
                self.run_since = block
            self.calm = max(0.0, self.calm - NOISE_COSTS) if self.calm * hours < STOPPED_H else 0.0
            self.blocks += 1
            self.lps += (loss - self.lps) / min(self.blocks, SIZE_MEMORY)
            self.m3 += max(0.0, loss) * self._m3
        found: list[Finding] = []
        if self.kind in ("leak", "tapping"):
            found = self._taken(block, hours, scatter)
        if self.calm * hours >= CLEAR_H.get(self.kind, ELSE_CLEAR_H):
            found.append(self._finding(CLEARED, block, scatter, {"calm_hours": self.calm * hours}))
            self.kind = None
        elif not calm and self.blocks % REPORT_BLOCKS == 0:
            found.append(self._finding(CHANGED, block, scatter, {}))
        return found

    def _taken(self, block: int, hours: float, scatter: float) -> list[Finding]:
        """What stopped by itself was taken; what is taken and does not stop is a leak after all."""
        ran_h = (block - self.calm - self.run_since + 1) * hours
        self.stays = self.stays or ran_h > STAYS_H
        stopped = STOPPED_H <= self.calm * hours < STOPPED_H + hours
        if stopped and STOPPED_H <= ran_h <= STAYS_H:
            self.runs += 1
        kind = self.kind
        if self.kind == "leak" and stopped and not self.stays and self.runs:
            kind = "tapping"
        if kind == self.kind or kind is None:
            return []
        why: dict[str, float | str] = {"explained_by": f"{kind} {self.place}"}
        old = self._finding(CLEARED, block, scatter, why)
        self.kind = kind
        evidence: dict[str, float | str] = {
            "since_ms": float(self.since * self.block_ms),
            "hours_a_time": round(ran_h, 1),
            "times": float(self.runs),
            "hour_utc": round(self._hour(self.run_since), 1),
        }
        return [old, self._finding(RAISED, block, scatter, evidence)]

    @property
    def _m3(self) -> float:
        return self.block_ms / 1_000_000.0

    def _hour(self, block: int) -> float:
        return block * self.block_ms % 86_400_000 / 3_600_000.0

    def _finding(
        self, what: str, block: int, scatter: float, evidence: dict[str, float | str]
    ) -> Finding:
        told = self.told
        assert told is not None
        ts, kind = (block + 1) * self.block_ms, told[0]
        if self.kind == "balance_doubt":
            return Finding(what, kind, self.place, ts, evidence=evidence)
        mean = scatter * math.sqrt(1.0 / min(self.blocks, SIZE_MEMORY) + 0.1)
        u = 2.0 * math.hypot(mean, U_RATING * self.lps)
        m3 = self.m3 if self.kind in ("leak", "tapping") else None
        return Finding(what, kind, self.place, ts, self.lps, u, m3, evidence)

    def dump(self) -> Any:
        return [
            *(self.kind, self.place, self.since, self.blocks, self.lps, self.m3),
            *(self.calm, self.run_since, self.runs, self.stays, self.begun, self.last, self.second),
        ]

    def load(self, state: Any) -> None:
        (self.kind, self.place, self.since, self.blocks, self.lps, self.m3) = state[:6]
        (self.calm, self.run_since, self.runs, self.stays, self.begun, last, self.second) = state[
            6:
        ]
        self.last = list(last)
