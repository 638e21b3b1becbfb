# SPDX-License-Identifier: MIT
"""A sudden loss at the source: collapse or blockage of the gallery.

    drop = 1 - median(Q of the last 3 blocks) / median(Q of 1 to 3 hours before)

A storm that fades falls by 2 % an hour and a drought by that in a month; stone that falls into a
gallery takes its share at once. The next weir downstream must have lost its part too, or it was
a leaf that somebody brushed off.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from kahriz_detect.blocks import BLOCK_MS, Blocks
from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample

NOW, BEFORE = range(-2, 1), range(-12, -3)  # blocks
LEARN_BLOCKS = 96
BACK = 0.9  # of what was before: the gallery is open again
CLEAR_BLOCKS = 24


class SourceDrop(Detector):
    """Fall of the flow at the first weir, confirmed by the next one.

    Parameters
    ----------
    up, down : the weir at the mouth and the next one.
    travel_s : water between them.
    share : the smallest sudden loss worth a word.
    confirm : part of that share which the next weir must show.

    Examples
    --------
    >>> source = SourceDrop("outlet", "middle", travel_s=0)
    >>> found = []
    >>> for i in range(400):
    ...     for point in ("outlet", "middle"):
    ...         lps = 12.0 if i < 350 else 6.0
    ...         found += source.update(Sample(i * 300_000, point, "discharge_lps", lps))
    >>> [(f.kind, f.place, f.ts // 300_000, f.lps) for f in found]
    [('source_drop', 'outlet', 357, 6.0)]

    References
    ----------
    Notes on failure modes of kahrizes: a collapse takes 30 to 100 % in minutes to hours.
    """

    kinds: tuple[str, ...] = ("source_drop",)
    by_clock = False

    def __init__(
        self, up: str, down: str, travel_s: float, share: float = 0.2, confirm: float = 0.5
    ) -> None:
        if not 0 < share < 1 or not 0 < confirm <= 1 or travel_s < 0:
            raise ValueError("share and confirm are parts of one, travel_s is not negative")
        self.up, self.down = up, down
        self.lag = round(travel_s * 1000.0 / BLOCK_MS)
        self.share, self.confirm = share, confirm
        self.flows = {up: Blocks(48), down: Blocks(48)}
        self.block: int | None = None
        self.seen = 0
        self.before_lps: float | None = None
        self.calm = 0

    @property
    def name(self) -> str:
        return f"source:{self.up}"

    @property
    def points(self) -> tuple[str, ...]:
        return (self.up, self.down)

    def update(self, sample: Sample) -> list[Finding]:
        """Take one value in; "less than" counts as that much, anything else uncertain is a gap."""
        if sample.point not in self.flows or sample.quantity not in ("discharge_lps", "flow_lps"):
            return []
        found = self.tick(sample.ts)
        if sample.bound == "lt" or (sample.bound is None and sample.q < 3):
            self.flows[sample.point].add(sample.ts, sample.value)
        return found

    def tick(self, watermark_ms: int) -> list[Finding]:
        block = watermark_ms // BLOCK_MS
        found: list[Finding] = []
        if self.block is None or block - self.block > 48:
            self.block = block
        while self.block < block:
            found += self._close(self.block)
            self.block += 1
        return found

    def _close(self, block: int) -> list[Finding]:
        now = self._median(self.up, block - self.lag, NOW)
        before = self._median(self.up, block - self.lag, BEFORE)
        if now is None or before is None or before <= 0:
            return []
        self.seen += 1
        ts = (block + 1) * BLOCK_MS
        if self.before_lps is not None:
            self.calm = self.calm + 1 if now >= BACK * self.before_lps else 0
            if self.calm < CLEAR_BLOCKS:
                return []
            lost, self.before_lps = self.before_lps - now, None
            return [Finding(CLEARED, "source_drop", self.up, ts, lost)]
        down = self._median(self.down, block, NOW)
        down_before = self._median(self.down, block, BEFORE)
        if self.seen < LEARN_BLOCKS or down is None or not down_before:
            return []
        drop, drop_below = 1 - now / before, 1 - down / down_before
        if drop < self.share or drop_below < self.confirm * drop:
            return []
        self.before_lps, self.calm = before, 0
        evidence: dict[str, float | str] = {
            "before_lps": round(before, 3),
            "now_lps": round(now, 3),
            "drop_share": round(drop, 3),
            "drop_share_below": round(drop_below, 3),
        }
        return [Finding(RAISED, "source_drop", self.up, ts, before - now, evidence=evidence)]

    def _median(self, point: str, block: int, window: range) -> float | None:
        """None when more than half of the window is a gap."""
        found = [f for b in window if (f := self.flows[point].at(block + b)) is not None]
        return median(found) if 2 * len(found) > len(window) else None

    def dump(self) -> Any:
        flows = {p: b.dump() for p, b in self.flows.items()}
        return [flows, self.block, self.seen, self.before_lps, self.calm]

    def load(self, state: Any) -> None:
        flows, self.block, self.seen, self.before_lps, self.calm = state
        for point, blocks in self.flows.items():
            blocks.load(flows[point])
