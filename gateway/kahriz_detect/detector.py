# SPDX-License-Identifier: MIT
"""What a detector is: values in event time in, findings out; no clock, no files, no network."""

from __future__ import annotations

from typing import Any, Protocol

from kahriz_detect.finding import Finding, Sample


class Detector(Protocol):
    """One instance watches one place; all it knows goes through `dump` and `load` as JSON."""

    kinds: tuple[str, ...]
    by_clock: bool  # ticked by the clock on the wall, not by the watermark of its points

    @property
    def name(self) -> str:
        """Under which its state is kept; unique in a site."""
        ...

    @property
    def points(self) -> tuple[str, ...]:
        """Whose values it wants, in time order."""
        ...

    def update(self, sample: Sample) -> list[Finding]: ...
    def tick(self, watermark_ms: int) -> list[Finding]: ...
    def dump(self) -> Any: ...
    def load(self, state: Any) -> None: ...
