# SPDX-License-Identifier: MIT
"""A chart for each alarm of a replay; the readings are read once more for it."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from kahriz_detect.charts.chart import Points, chart_svg
from kahriz_detect.charts.evidence import evidence_of
from kahriz_detect.finding import RAISED
from kahriz_detect.replay.run import Raised, Row, text_of
from kahriz_detect.signals.limits import limits_of
from kahriz_detect.site import FLOW, Signal, Site

SUSPECT = 3  # QARTOD: not drawn
AGAIN = ("discharge_lps",)  # another name of a flow


def draw(site: Site, readings: Iterable[Row], alarms: Iterable[Raised], folder: Path) -> list[Path]:
    """One file an alarm, in their order; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(site, readings)
    found = []
    for number, alarm in enumerate(alarms, start=1):
        first = next(f for f in alarm.findings if f.what == RAISED)
        title = f"{alarm.kind} {alarm.place}".strip()
        label = f"raised {text_of(alarm.start)}"
        chart = evidence_of(site, first, kept.series, alarm.start, title, label)
        name = re.sub(r"[^\w.-]+", "-", f"{number:03}-{title}")
        path = folder / f"{name}.svg"
        path.write_text(chart_svg(chart), encoding="utf-8")
        found.append(path)
    return found


class Kept:
    """All readings in 16 bytes each; what no sensor can read is a gap."""

    def __init__(self, site: Site, readings: Iterable[Row]) -> None:
        self._times: dict[str, array[int]] = {s.key: array("q") for s in site.signals}
        self._values: dict[str, array[float]] = {s.key: array("d") for s in site.signals}
        keys: dict[tuple[str, str], Signal] = {}
        for signal in site.signals:
            names = (FLOW, *AGAIN) if signal.quantity == FLOW else (signal.quantity,)
            keys |= {(signal.point, name): signal for name in names}
        for _, sample in readings:
            known = keys.get((sample.point, sample.quantity))
            if known is None or (sample.q >= SUSPECT and sample.bound is None):
                continue
            low, high = limits_of(known.quantity)
            if low <= sample.value <= high and sample.value not in known.missing:
                self._times[known.key].append(sample.ts)
                self._values[known.key].append(sample.value)
        for key, times in self._times.items():
            self._sort(key, times)

    def _sort(self, key: str, times: array[int]) -> None:
        """Rows that came late lie behind those of later times."""
        if all(a <= b for a, b in pairwise(times)):
            return
        order = sorted(range(len(times)), key=times.__getitem__)
        self._values[key] = array("d", (self._values[key][i] for i in order))
        self._times[key] = array("q", (times[i] for i in order))

    def series(self, key: str, after: int, upto: int) -> Points:
        """Of a signal, from a moment (not with it) to another (with it)."""
        times = self._times.get(key)
        if times is None:
            return []
        first, last = bisect_right(times, after), bisect_right(times, upto)
        return list(zip(times[first:last], self._values[key][first:last], strict=True))
