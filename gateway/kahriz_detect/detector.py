# SPDX-License-Identifier: MIT
"""What a detector is: values in event time in, findings out; no clock, no files, no network."""

from __future__ import annotations

from typing import Any

from kahriz_detect.closure import NOTHING, Closures
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.frame import Frame


class Detector:
    """One instance watches one place; all it knows goes through `dump` and `load` as JSON.

    Override `update` (each sample of its `points`, as it comes), `step` (a frame of the whole
    site, when it is complete) or both. `judges` is set by validity: after `update` the engine
    reads `good`, and a sample that is not good reaches neither frames nor other detectors.
    """

    kinds: tuple[str, ...] = ()
    by_clock = False  # ticked by the clock on the wall, not by the watermark of its points
    judges = False
    good = True
    sees_shut = False  # it wants frames as they are and asks `closures` what people have closed
    closures: Closures | None = None  # set by the engine for such a one

    @property
    def name(self) -> str:
        """Under which its state is kept; unique in a site."""
        raise NotImplementedError

    @property
    def points(self) -> tuple[str, ...]:
        """Keys of the signals it wants to see in `update`; empty for one that steps only."""
        return ()

    def update(self, sample: Sample) -> list[Finding]:
        """A sample of one of its points, in time order."""
        return []

    def step(self, frame: Frame) -> list[Finding]:
        """A frame is complete: nothing older will come."""
        return []

    def tick(self, watermark_ms: int) -> list[Finding]:
        """Nothing older than the watermark will come."""
        return []

    def dismiss(self, kind: str, place: str) -> None:
        """A person closed this alarm: it is over, and what is measured from now on is usual."""

    def lasts(self, kind: str, place: str) -> bool:
        """Whether it goes on though a person closed it: a dead sensor does not become usual. Until
        `step` or `update` says that it is cleared, `Joint` tells it again now and then."""
        return False

    def closed(self, ts: int) -> frozenset[str]:
        """What people have closed then, for one that `sees_shut`; to the others it is a gap."""
        return NOTHING if self.closures is None else self.closures.at(ts)

    def dump(self) -> Any:
        raise NotImplementedError

    def load(self, state: Any) -> None:
        raise NotImplementedError
