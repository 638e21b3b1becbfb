# SPDX-License-Identifier: MIT
"""A reach's loss that the turn of an offtake in it may explain: no leak unless it goes on without.

    held   : it began in a turn, and is no larger than what the turn takes by its meter
    dropped: it stops with the turn, and runs in turns only: a second gate, a meter that reads low
    told   : it runs an hour and a half after the turn, or neither is known after LONGEST_MS

What began before the turn is not of it. A loss that stopped by itself ("tapping") stays under
watch: the first run of it without a turn is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding
from kahriz_detect.site import Site

TURN = "use:turn"
LOSSES = ("leak", "tapping", "balance_doubt")
ALIKE_MS = 3_600_000  # a turn is told half an hour after it began, a loss dated by half hours
SETTLES_MS = 5_400_000  # until the reach has drained
LONGEST_MS = 72 * 3_600_000
MOST = 1.0  # of the turn's own flow


@dataclass
class _Turn:
    since: int
    lps: float
    over: int | None = None


class Between:
    """Findings of reaches with a metered offtake, kept back until it is plain whose water it was.

    Examples
    --------
    >>> from kahriz_detect.site import Offtake, Reach
    >>> gate = Offtake("gate", "r", "g")
    >>> between = Between(Site("x", (), (Reach("r", "a", "b"),), offtakes=(gate,)))
    >>> turn = Finding(RAISED, TURN, "g", 1_800_000, 4.0, evidence={"since_ms": 0.0})
    >>> leak = Finding(RAISED, "leak", "r", 7_200_000, 2.0, evidence={"since_ms": 3_600_000.0})
    >>> [f.kind for f in between.sift([turn, leak])]
    ['use:turn']
    """

    def __init__(self, site: Site) -> None:
        points = {s.key: s.point for s in site.signals}
        self._fed: dict[str, list[str]] = {}  # reach: its metered offtakes
        for o in site.offtakes:
            if o.signal is not None:
                self._fed.setdefault(o.reach, []).append(points.get(o.signal, o.signal))
        self._turns: dict[str, _Turn] = {}
        self._held: dict[tuple[str, str], tuple[Finding, int]] = {}  # as it would be told, since

    @property
    def waits(self) -> bool:
        """Whether something is held that time alone brings to light."""
        return any(kind != "tapping" for kind, _ in self._held)

    def sift(self, findings: Iterable[Finding], now_ms: int | None = None) -> list[Finding]:
        """What is not explained, or no longer."""
        told: list[Finding] = []
        for finding in findings:
            if finding.kind == TURN:
                self._turn(finding)
            elif finding.place in self._fed and finding.kind.partition(":")[0] in LOSSES:
                told += self._loss(finding)
                continue
            told.append(finding)
        for key, (finding, since) in list(self._held.items()):
            if now_ms is not None and key[0] != "tapping" and now_ms - since > LONGEST_MS:
                del self._held[key]
                told.append(replace(finding, ts=now_ms))
        return told

    def _turn(self, finding: Finding) -> None:
        if finding.what == CLEARED:
            if finding.place in self._turns:
                self._turns[finding.place].over = finding.ts
            return
        since = finding.evidence.get("since_ms")
        began = int(since) if isinstance(since, float) else finding.ts
        self._turns[finding.place] = _Turn(began, finding.lps or 0.0)

    def _loss(self, finding: Finding) -> list[Finding]:
        key = (finding.kind, finding.place)
        held = self._held.get(key)
        if held is None:
            if finding.what == RAISED and self._explains(finding):
                self._held[key] = (finding, finding.ts)
                return []
            return [finding]
        if finding.what == CLEARED:
            del self._held[key]
            return []
        kept, since = held
        kept = replace(finding, what=RAISED, evidence=kept.evidence)
        self._held[key] = (kept, since)
        if finding.what == CHANGED and self._runs(finding):
            return []
        del self._held[key]
        return [kept]

    def _explains(self, finding: Finding) -> bool:
        """Whether it began in a turn that runs, or has just ended."""
        began = finding.evidence.get("since_ms")
        first = int(began) if isinstance(began, float) else finding.ts
        return any(first >= turn.since - ALIKE_MS for turn in self._running(finding))

    def _runs(self, finding: Finding) -> bool:
        return any(True for _ in self._running(finding))

    def _running(self, finding: Finding) -> Iterable[_Turn]:
        """The turns in its reach that are not over, large enough to have taken that."""
        size = abs(finding.lps or 0.0)
        for place in self._fed[finding.place]:
            turn = self._turns.get(place)
            if turn is None or size > MOST * turn.lps:
                continue
            if turn.over is None or finding.ts - turn.over < SETTLES_MS:
                yield turn

    def dump(self) -> Any:
        turns = {place: asdict(turn) for place, turn in self._turns.items()}
        return [turns, [[asdict(finding), since] for finding, since in self._held.values()]]

    def load(self, state: Any) -> None:
        turns, held = state
        self._turns = {str(place): _Turn(**turn) for place, turn in turns.items()}
        kept = [(Finding(**finding), int(since)) for finding, since in held]
        self._held = {(f.kind, f.place): (f, since) for f, since in kept}
