# SPDX-License-Identifier: MIT
"""Dropouts of sensors whose whole node is silent: told when they outlive the silence.

`silent_node` says it while the node is silent. When the node is back and its sensor still gives
nothing, nobody else would ever say so: the detector has raised it already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.signals.channel import HOLD_MS

DROPOUT = "sensor_fault:dropout"
WAIT_MS = HOLD_MS["dropout"] + 1_800_000  # the detector needs so long to see that it is over


class Withheld:
    """By place: the finding, and the watermark at which its node was heard again."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Finding, int | None]] = {}

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [(DROPOUT, place) for place in self._held]

    def sift(self, news: Iterable[Finding], silent: set[str], mark: int) -> list[Finding]:
        """What may be told now, of these findings and of those held back."""
        told = []
        for finding in news:
            if finding.kind == DROPOUT and finding.what == RAISED and finding.place in silent:
                self._held[finding.place] = (finding, None)
            elif (
                finding.kind == DROPOUT and finding.what == CLEARED and finding.place in self._held
            ):
                del self._held[finding.place]
            else:
                told.append(finding)
        for place, (finding, back) in list(self._held.items()):
            if place in silent:
                self._held[place] = (finding, None)
            elif back is None:
                self._held[place] = (finding, mark)
            elif mark - back > WAIT_MS:
                del self._held[place]
                since = {"since_ms": float(finding.ts)}
                told.append(replace(finding, ts=mark, evidence={**finding.evidence, **since}))
        return told

    def dump(self) -> Any:
        return [[asdict(finding), back] for finding, back in self._held.values()]

    def load(self, state: Any) -> None:
        found = [(Finding(**finding), back) for finding, back in state]
        self._held = {finding.place: (finding, back) for finding, back in found}
