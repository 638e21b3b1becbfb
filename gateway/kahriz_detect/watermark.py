# SPDX-License-Identifier: MIT
"""Up to when everything has come: the oldest last time of the living nodes.

A node that is two batches behind the newest leaves and counts as a gap; what it brings from
behind the watermark comes too late for the detectors. A clock that runs ahead makes nobody else
late: a reading counts as no newer than the moment at which it came.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping

from kahriz_detect.finding import Sample
from kahriz_detect.site import Site

LATE_BATCHES = 2


class Watermark:
    """Holds samples back until nothing older can come.

    Examples
    --------
    >>> from kahriz_detect.site import Signal
    >>> mark = Watermark(Site("x", (Signal("a", "a", "flow_lps"), Signal("b", "b", "flow_lps"))))
    >>> mark.hold(Sample(600_000, "a", "flow_lps", 1.0))
    >>> mark.hold(Sample(0, "b", "flow_lps", 2.0))
    >>> [s.point for s in mark.release()], mark.at
    (['b'], 0)
    """

    def __init__(self, site: Site) -> None:
        self.at: int | None = None
        self._late_ms = late_ms(site)
        self._nodes = {s.point: s.node or s.point for s in site.signals}
        self._last: dict[str, int] = {}
        self._held: list[tuple[int, str, str, int, Sample]] = []
        self._count = 0

    def hold(self, sample: Sample) -> None:
        node = self._nodes.get(sample.point)
        if node is None:
            return
        ts = sample.ts if sample.came is None else min(sample.ts, sample.came)
        self._last[node] = max(ts, self._last.get(node, ts))
        if self.at is not None and sample.ts <= self.at:
            return  # too late, but the node lives
        self._count += 1
        item = (sample.ts, sample.point, sample.quantity, self._count, sample)
        heapq.heappush(self._held, item)

    def release(self) -> Iterator[Sample]:
        """What may be told now, in order of time."""
        mark = watermark(self._last, self._late_ms)
        if mark is not None and (self.at is None or mark > self.at):
            self.at = mark
        while self.at is not None and self._held and self._held[0][0] <= self.at:
            yield heapq.heappop(self._held)[-1]


def late_ms(site: Site) -> dict[str, int]:
    """How far behind the newest each node may be."""
    return {
        s.node or s.point: round(LATE_BATCHES * s.interval_s * s.batch * 1000)
        for s in reversed(site.signals)
    }


def watermark(last: Mapping[str, int], late: Mapping[str, int]) -> int | None:
    """The oldest last time of the nodes that are not too late.

    >>> watermark({"a": 100, "b": 90, "dead": 1}, {"a": 20, "b": 20, "dead": 20})
    90
    """
    ours = {n: ts for n, ts in last.items() if n in late}
    newest = max(ours.values(), default=0)
    return min((ts for n, ts in ours.items() if newest - ts <= late[n]), default=None)
