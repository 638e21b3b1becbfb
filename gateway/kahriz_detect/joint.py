# SPDX-License-Identifier: MIT
"""One cause, one alarm: what the detectors of a site say, taken together.

1. A weir that is fouled explains a doubtful balance of the reaches it bounds, and that it drifts.
2. What is open is not raised again, and what was never raised is neither changed nor cleared.
3. What a person closed and what goes on all the same (a dead sensor, a silent node) is told again.
4. A loss of a pool that began in a turn larger than any before it waits for the turn's end (`use`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding
from kahriz_detect.site import Site
from kahriz_detect.use.explained import Explained

AGAIN_MS = 3 * 86_400_000  # as long as one person may shelve an alarm


class Joint:
    """Lets through what is news. Asked after steps with findings, while it `waits` after all."""

    def __init__(self, site: Site) -> None:
        self._bounds = {r.place: (r.up, r.down) for r in site.reaches}
        self.open: set[tuple[str, str]] = set()
        self.explained = Explained(site)
        self.waved: dict[tuple[str, str], int] = {}  # closed by a person while it went on, and when

    @property
    def waits(self) -> bool:
        """Whether something is held that time alone brings to light."""
        return bool(self.waved) or self.explained.waits

    def decide(self, findings: Iterable[Finding], now_ms: int) -> list[Finding]:
        """What is news now; `now_ms` is event time."""
        out: list[Finding] = []
        for finding in self.explained.sift(findings, now_ms):
            key = (finding.kind, finding.place)
            if finding.what != CHANGED:
                self.waved.pop(key, None)
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
        return out + self._again(now_ms) if self.waved else out

    def _again(self, now_ms: int) -> list[Finding]:
        due = [(key, ts) for key, ts in self.waved.items() if now_ms - ts >= AGAIN_MS]
        for key, _ in due:
            del self.waved[key]
            self.open.add(key)
        return [Finding(RAISED, *key, now_ms, evidence={"since_ms": float(ts)}) for key, ts in due]

    def close(
        self, known: Iterable[tuple[str, str]], detectors: Iterable[Detector], now_ms: int
    ) -> None:
        """What is not even known any more was closed by a person: its detectors do not wait for
        its end."""
        watching = list(detectors)
        for kind, place in sorted(self.open.difference(known)):
            for detector in watching:
                detector.dismiss(kind, place)
            if any(detector.lasts(kind, place) for detector in watching):
                self.waved[kind, place] = now_ms

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
        waved = [[*key, ts] for key, ts in sorted(self.waved.items())]
        return {"open": sorted(self.open), "waved": waved, "explained": self.explained.dump()}

    def load(self, state: Any) -> None:
        if not isinstance(state, dict):  # of a version that knew only what is open
            state = {"open": state, "waved": []}
        self.open = {(str(kind), str(place)) for kind, place in state["open"]}
        self.waved = {(str(kind), str(place)): int(ts) for kind, place, ts in state["waved"]}
        if "explained" in state:
            self.explained.load(state["explained"])
