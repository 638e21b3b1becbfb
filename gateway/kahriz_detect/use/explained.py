# SPDX-License-Identifier: MIT
"""A pool's loss that a turn larger than usual may explain: no leak unless it goes on without it.

    held   : it began in such a turn, while that runs or in SETTLES_MS after it
    dropped: it is over with the turn; it was the turn's water (a second gate, a weir overrun)
    told   : it goes on without the turn, or neither is known after LONGEST_MS

A turn as large as usual explains nothing: what it takes beside its meter is learned. Nor does one
explain what began before it, and a person is told of what goes on while nobody knows. What a
reach loses beside the turn of an offtake in it is for `between`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.site import Site
from kahriz_detect.use.between import Between

TURN = "use:turn"
LOSSES = ("pool_leak", "balance_doubt")
LARGER = 1.25  # times the usual turn
BLOCK_MS = 3 * 3_600_000  # of the pool's balance
SETTLES_MS = 2 * BLOCK_MS  # in the first one some of the turn is left
LONGEST_MS = (
    72 * 3_600_000
)  # a turn of a day, and the day after which the pool says that it is over


@dataclass
class _Held:
    finding: Finding  # as it would be told now
    turn: str
    began: int  # to be held
    over: int | None = None  # the turn


class Explained:
    """Findings that planned use may explain, kept back until it is plain whether it does.

    Examples
    --------
    >>> from kahriz_detect.site import Pool
    >>> explained = Explained(Site("x", (), (), (Pool("pool", "level", ("in",), ("out",)),)))
    >>> large: dict[str, float | str] = {"since_ms": 0.0, "flow_lps": 20.0, "usual_lps": 10.0}
    >>> turn = Finding(RAISED, TURN, "out", 1_800_000, 20.0, evidence=large)
    >>> leak = Finding(RAISED, "pool_leak", "pool", 7_200_000, 5.0)
    >>> [f.kind for f in explained.sift([turn, leak], 7_200_000)]
    ['use:turn']
    """

    def __init__(self, site: Site) -> None:
        points = {s.key: s.point for s in site.signals}
        self._fed = {p.place: [points.get(k, k) for k in p.outflows] for p in site.pools}
        self._large: dict[str, list[int | None]] = {}  # turn: since when, and when it was over
        self._held: dict[tuple[str, str], _Held] = {}
        self.between = Between(site)

    @property
    def waits(self) -> bool:
        """Whether a finding is kept back."""
        return bool(self._held) or self.between.waits

    def sift(self, findings: Iterable[Finding], now_ms: int) -> list[Finding]:
        """What is not explained, or no longer."""
        told: list[Finding] = []
        for finding in self.between.sift(findings, now_ms):
            if finding.kind == TURN:
                self._turn(finding)
                told.append(finding)
            elif finding.kind in LOSSES:
                told += self._loss(finding)
            else:
                told.append(finding)
        for key, held in list(self._held.items()):
            if now_ms - held.began > LONGEST_MS:
                told.append(self._told(key, now_ms))
        return told

    def _turn(self, finding: Finding) -> None:
        place, ts = finding.place, finding.ts
        for held in self._held.values():
            if held.turn == place and held.over is None:  # over, or over unseen and a new one
                held.over = ts
        if finding.what == CLEARED:
            if place in self._large:
                self._large[place][1] = ts
            return
        self._large.pop(place, None)
        usual = finding.evidence.get("usual_lps")
        since = finding.evidence.get("since_ms")
        large = isinstance(usual, float) and (finding.lps or 0.0) > LARGER * usual
        if large and isinstance(since, float):
            self._large[place] = [int(since), None]

    def _loss(self, finding: Finding) -> list[Finding]:
        key = (finding.kind, finding.place)
        held = self._held.get(key)
        if held is None:
            turn = self._explains(finding) if finding.what == RAISED else None
            if turn is None:
                return [finding]
            self._held[key] = _Held(finding, turn, finding.ts, self._large[turn][1])
        elif finding.what == CLEARED:
            del self._held[key]
        else:
            held.finding = replace(finding, what=RAISED, evidence=held.finding.evidence)
            if held.over is not None and finding.ts - held.over >= SETTLES_MS:
                return [self._told(key, finding.ts)]
        return []

    def _explains(self, finding: Finding) -> str | None:
        """The large turn out of this pool in which this began."""
        began = finding.evidence.get("since_ms")
        first = int(began) if isinstance(began, float) else finding.ts
        for place in self._fed.get(finding.place, ()):
            since, over = self._large.get(place, (None, None))
            if since is None or first < since - BLOCK_MS:
                continue
            if over is None or finding.ts - over < SETTLES_MS:
                return place
        return None

    def _told(self, key: tuple[str, str], now_ms: int) -> Finding:
        return replace(self._held.pop(key).finding, ts=now_ms)

    def dump(self) -> Any:
        held = [asdict(held) for held in self._held.values()]
        return [self._large, held, self.between.dump()]

    def load(self, state: Any) -> None:
        large, many, *more = state
        if more:
            self.between.load(more[0])
        self._large = {place: [*span] for place, span in large.items()}
        kept = [_Held(**{**held, "finding": Finding(**held["finding"])}) for held in many]
        self._held = {(held.finding.kind, held.finding.place): held for held in kept}
