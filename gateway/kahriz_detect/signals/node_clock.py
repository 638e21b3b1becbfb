# SPDX-License-Identifier: MIT
"""A node whose clock is wrong: its newest reading is older, or younger, than it can be.

    lag = moment at which a word came - time of the newest reading in it

A node sends its newest rows first, so the lag lies between nothing and one upload. A clock that was
set back, ran away or lost its battery shows in two words, by a day ahead in one. Words that come
hard upon each other have waited for us together (in the broker, while we stood still) and count as
one. Readings with a wrong time spoil a balance without being wrong themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample
from kahriz_detect.signals.silence import Expected
from kahriz_detect.site import Site

AHEAD_S, BEHIND_S = 120.0, 900.0  # what a round trip and a slow upload explain
HISTORY_S = 30 * 86_400.0  # older is a history that somebody brings in, not a clock
WORDS = 2
AT_ONCE_S = 86_400.0
CLOCK = "clock"  # the quantity of a sample: value is the lag in seconds


class NodeClock(Detector):
    """Clocks of the nodes of a site.

    Parameters
    ----------
    expected : the nodes, the points they stand for, and the seconds between uploads.

    Examples
    --------
    >>> clock = NodeClock([Expected("outlet", "outlet", 3600)])
    >>> lags = [60.0, 240.0, -7200.0, -7200.0, 60.0, 60.0]
    >>> found = []
    >>> for n, lag in enumerate(lags):
    ...     found += clock.update(Sample(n * 3_600_000, "outlet", CLOCK, lag))
    >>> [(f.what, f.kind, f.evidence.get("lag_s")) for f in found]
    [('raised', 'sensor_fault:clock', -7200.0), ('cleared', 'sensor_fault:clock', 60.0)]

    References
    ----------
    The ESP32's clock in deep sleep drifts by 0.6 to 5 % (Espressif, ESP-IDF: system time).
    """

    kinds = ("sensor_fault:clock",)
    by_clock = True

    def __init__(self, expected: list[Expected]) -> None:
        if any(e.period_s <= 0 for e in expected):
            raise ValueError("period_s must be positive")
        self.expected: Mapping[str, Expected] = {e.node: e for e in expected}
        self.words: dict[str, int] = {}  # in a row that speak against the state
        self.counted: dict[str, int] = {}  # ms at which the last of them came
        self.wrong: set[str] = set()

    @property
    def name(self) -> str:
        return "node_clock"

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(self.expected)

    def update(self, sample: Sample) -> list[Finding]:
        """A word of a node: `ts` is when it came, the value its lag."""
        expected = self.expected.get(sample.point)
        if expected is None or sample.quantity != CLOCK:
            return []
        node, lag_s = sample.point, sample.value
        if lag_s > HISTORY_S:
            return []
        out = not -AHEAD_S <= lag_s <= expected.period_s + BEHIND_S
        if out == (node in self.wrong):
            self.words[node] = 0
            return []
        if out and self.words.get(node) and self._together(sample.ts, expected):
            return []
        self.words[node] = self.words.get(node, 0) + 1
        self.counted[node] = sample.ts
        if self.words[node] < WORDS and not (out and lag_s < -AT_ONCE_S):
            return []
        self.words[node] = 0
        if out:
            self.wrong.add(node)
        else:
            self.wrong.remove(node)
        what = RAISED if out else CLEARED
        evidence: dict[str, float | str] = {"lag_s": round(lag_s, 1)}
        return [Finding(what, "sensor_fault:clock", expected.place, sample.ts, evidence=evidence)]

    def _together(self, ts: int, expected: Expected) -> bool:
        """With the word that was counted last: sooner after it than a node uploads."""
        return 0 <= ts - self.counted.get(expected.node, 0) < 500 * expected.period_s

    def lasts(self, kind: str, place: str) -> bool:
        return kind in self.kinds and any(self.expected[n].place == place for n in self.wrong)

    def dump(self) -> Any:
        return [self.words, sorted(self.wrong), self.counted]

    def load(self, state: Any) -> None:
        words, wrong, *later = state  # without `counted` of an earlier version
        self.words = {str(n): int(k) for n, k in words.items() if n in self.expected}
        self.counted = {str(n): int(ts) for n, ts in later[0].items()} if later else {}
        self.wrong = set(wrong) & set(self.expected)


def clocks(site: Site) -> list[Detector]:
    """One for a site."""
    firsts = {s.node or s.point: s for s in reversed(site.signals)}
    expected = [Expected(n, s.point, s.interval_s * s.batch) for n, s in firsts.items()]
    return [NodeClock(expected)]
