# SPDX-License-Identifier: MIT
"""Wrong clocks in a file that knows when each row came: the words of its nodes, as live.

A word is what came of one node at one moment. Only one that brought something newer says anything
about the clock: the rest of a backlog comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from kahriz_detect.finding import Finding, Sample
from kahriz_detect.joint import Joint
from kahriz_detect.signals.node_clock import CLOCK, clocks
from kahriz_detect.site import Site


class Words:
    """The clocks of the nodes of a site, by what came and when.

    Examples
    --------
    >>> from kahriz_detect.site import Signal
    >>> words, found = Words(Site("x", (Signal("a", "a", "flow_lps", node="n"),))), []
    >>> for hour in range(4):
    ...     ts = hour * 3_600_000
    ...     found += words.hear([Sample(ts, "a", "flow_lps", 1.0, came=ts + 14_400_000)])
    >>> [(f.what, f.kind, f.place, f.evidence["lag_s"]) for f in found]
    [('raised', 'sensor_fault:clock', 'a', 14400.0)]
    """

    def __init__(self, site: Site) -> None:
        self._clocks = clocks(site)
        self._joint = Joint(site)
        self._nodes = {s.point: s.node or s.point for s in site.signals}
        self._newest: dict[str, int] = {}  # reading of each node
        self._heard: dict[str, int] = {}  # when it came

    def hear(self, batch: Iterable[Sample]) -> list[Finding]:
        """What came at one moment."""
        words: dict[str, int] = {}  # when it came
        for sample in batch:
            node = self._nodes.get(sample.point)
            if node is None or sample.came is None or sample.ts <= self._newest.get(node, -1):
                continue
            self._newest[node] = sample.ts
            if sample.came != self._heard.get(node) or node in words:  # else the word goes on
                words[node] = self._heard[node] = sample.came
        found: list[Finding] = []
        for node, came in words.items():
            word = Sample(came, node, CLOCK, (came - self._newest[node]) / 1000.0)
            for detector in self._clocks:
                found += detector.update(word)
        return self._joint.decide(found, max(words.values())) if found else []
