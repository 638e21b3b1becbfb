# SPDX-License-Identifier: MIT
"""Runs the detectors over the stored values, in event time, each to its own watermark.

The watermark of a detector is the oldest last time of the living nodes of its points. A node
that is two batches late leaves it and counts as a gap; what comes later than the watermark
changes values, never past alarms. State and alarms are stored in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kahriz_detect import detectors
from kahriz_detect.detector import Detector
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.joint import Joint
from kahriz_detect.silence import Silence
from kahriz_detect.site_plan import site_of
from kahriz_gateway import village_alarms, village_store
from kahriz_water.site import Plan

LATE_BATCHES = 2
STRIDE_MS = 7 * 86_400_000  # a long history goes through in weeks
AWAY_MS = 20 * 60_000  # we were away when our own sign of life is older
ALIVE_MS = 10 * 60_000  # how often our own sign of life is written down
BOUNDS = {
    "discharge_lps": None,
    "flow_lps": None,
    "discharge_lt_lps": "lt",
    "discharge_gt_lps": "gt",
}


class Watch:
    """All detectors of a site with their state."""

    def __init__(self, conn: sqlite3.Connection, plan: Plan, tells: village_alarms.Tells) -> None:
        self._conn = conn
        self._plan = plan
        self._tells = tells
        site = site_of(plan)
        self._joint = Joint(site)
        self._detectors = detectors(site)
        self._done: dict[str, int] = {}
        self._alive_ms: int | None = village_store.get_state(conn, "alive_ms")
        self._started = False
        for detector in self._detectors:
            kept = village_store.get_state(conn, f"detector:{detector.name}")
            if kept is not None:
                self._done[detector.name] = kept["done"]
                detector.load(kept["state"])

    def follow(self, last_ts: dict[str, int], now_ms: int) -> None:
        """Inside a transaction: bring each detector to its watermark."""
        for detector in self._detectors:
            if detector.by_clock:
                continue
            watermark = self._watermark(detector, last_ts)
            done = self._done.get(detector.name)
            if watermark is None or (done is not None and watermark <= done):
                continue
            found = self._advance(detector, done, watermark)
            self._done[detector.name] = watermark
            self._keep(detector)
            self._alarm(found, now_ms)

    def listen(self, words: Iterable[tuple[str, int]], now_ms: int) -> bool:
        """When each node was last heard; whether there was something to store."""
        found: list[Finding] = []
        clocked = [d for d in self._detectors if d.by_clock]
        for detector in clocked:
            if isinstance(detector, Silence) and self._were_away(now_ms):
                detector.excuse(now_ms)
            for node, received in words:
                found += detector.update(Sample(received, node, "word", 1.0))
            found += detector.tick(now_ms)
        if not found and self._alive_ms is not None and now_ms - self._alive_ms <= ALIVE_MS:
            return False
        with village_store.transaction(self._conn):
            self._alive_ms = now_ms
            village_store.set_state(self._conn, "alive_ms", now_ms)
            for detector in clocked:
                self._keep(detector)
            self._alarm(found, now_ms)
        return True

    def _were_away(self, now_ms: int) -> bool:
        """Asked once, at the start: then nobody is blamed for silence meanwhile."""
        if self._started:
            return False
        self._started = True
        return self._alive_ms is not None and now_ms - self._alive_ms > AWAY_MS

    def _watermark(self, detector: Detector, last_ts: dict[str, int]) -> int | None:
        newest = max(last_ts.values(), default=None)
        if newest is None:
            return None
        living = []
        for ident in detector.points:
            point = self._plan.point(ident)
            if point is not None and point.node in last_ts:
                late_ms = LATE_BATCHES * point.dt_s * point.batch * 1000
                if newest - last_ts[point.node] <= late_ms:
                    living.append(last_ts[point.node])
        return min(living, default=None)

    def _advance(self, detector: Detector, done: int | None, watermark: int) -> list[Finding]:
        found: list[Finding] = []
        after = self._first_ts(detector) - 1 if done is None else done
        while after < watermark:
            upto = min(watermark, after + STRIDE_MS)
            for sample in self._samples(detector, after, upto):
                found += detector.update(sample)
            found += detector.tick(upto)
            after = upto
        return found

    def _first_ts(self, detector: Detector) -> int:
        marks = ",".join("?" * len(detector.points))
        row = self._conn.execute(
            f"SELECT min(ts) FROM value WHERE point IN ({marks})",  # noqa: S608
            detector.points,
        ).fetchone()
        return int(row[0] or 0)

    def _samples(self, detector: Detector, after: int, upto: int) -> list[Sample]:
        samples = [
            Sample(v.ts, point, "discharge_lps", v.value, v.u, v.q, bound)
            for point in detector.points
            for quantity, bound in BOUNDS.items()
            for v in village_store.values_between(self._conn, point, quantity, after, upto)
        ]
        return sorted(samples, key=lambda s: (s.ts, s.point))

    def _keep(self, detector: Detector) -> None:
        kept = {"done": self._done.get(detector.name, 0), "state": detector.dump()}
        village_store.set_state(self._conn, f"detector:{detector.name}", kept)

    def _alarm(self, found: list[Finding], now_ms: int) -> None:
        if not found:
            return
        self._joint.load((a.kind, a.place) for a in village_alarms.open_alarms(self._conn))
        news = self._joint.decide(found, now_ms)
        village_alarms.apply(self._conn, news, self._plan, now_ms, self._tells)
