# SPDX-License-Identifier: MIT
"""One cause, one alarm: what the detectors of a site say, taken together.

1. A weir that is fouled explains a doubtful balance of the reaches it bounds, and that it drifts.
2. What is open is not raised again, and what was never raised is neither changed nor cleared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.site import Site


class Joint:
    """Lets through what is news. Asked after every step, also without findings: it may hold."""

    def __init__(self, site: Site) -> None:
        self._bounds = {r.place: (r.up, r.down) for r in site.reaches}
        self.open: set[tuple[str, str]] = set()

    def decide(self, findings: Iterable[Finding], now_ms: int) -> list[Finding]:
        """What is news now; `now_ms` is event time."""
        out: list[Finding] = []
        for finding in findings:
            key = (finding.kind, finding.place)
            if finding.what == RAISED:
                if key in self.open or self._explained(finding):
                    continue
                self.open.add(key)
                out.append(finding)
                out += self._explains(finding)
            elif key in self.open:
                out.append(finding)
                if finding.what == CLEARED:
                    self.open.remove(key)
        return out

    def agree(self, still_open: Iterable[tuple[str, str]]) -> None:
        """What is open in the store: somebody may have closed an alarm by hand."""
        self.open &= set(still_open)

    def _explained(self, finding: Finding) -> bool:
        if finding.kind == "sensor_fault:drift":
            return ("fouled_weir", finding.place) in self.open
        bounds = self._bounds.get(finding.place, ())
        doubt = finding.kind == "balance_doubt"
        return doubt and any(("fouled_weir", point) in self.open for point in bounds)

    def _explains(self, finding: Finding) -> list[Finding]:
        if finding.kind != "fouled_weir":
            return []
        out = []
        for reach, bounds in self._bounds.items():
            doubt = ("balance_doubt", reach)
            if finding.place in bounds and doubt in self.open:
                self.open.remove(doubt)
                why: dict[str, float | str] = {"explained_by": f"fouled_weir {finding.place}"}
                out.append(Finding(CLEARED, *doubt, finding.ts, evidence=why))
        return out

    def dump(self) -> Any:
        return sorted(self.open)

    def load(self, state: Any) -> None:
        self.open = {(str(kind), str(place)) for kind, place in state}
