# SPDX-License-Identifier: MIT
"""Runs the detectors over the stored values, in event time, each part of the site to its watermark.

The watermark of a part is the oldest last time of the living nodes of its points. A node that is
two batches late leaves it and counts as a gap; what comes later than the watermark changes
values, never past alarms. State and alarms are stored in one transaction. `kahriz replay` runs
the same engine over a file.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from operator import itemgetter

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.index import detectors
from kahriz_detect.joint import Joint
from kahriz_detect.parts import split
from kahriz_detect.signals.node_clock import CLOCK
from kahriz_detect.signals.silence import Silence
from kahriz_detect.site import FLOW, Site
from kahriz_detect.site_plan import site_of
from kahriz_detect.watermark import late_ms, watermark
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import closures
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.withheld import Withheld
from kahriz_water.site import Plan

PLANNED = "use:"  # what people do with their water is no alarm
CLOCK_JOINT = "joint:clock"
STRIDE_MS = 7 * 86_400_000  # a long history goes through in weeks
FUTURE_MS = 86_400_000  # as far ahead of a clock that is sure no watermark can be
AWAY_MS = 20 * 60_000  # we were away when our own sign of life is older
ALIVE_MS = 10 * 60_000  # how often our own sign of life is written down
STORED: dict[str, tuple[tuple[str, str | None], ...]] = {  # quantities of the store, with bounds
    FLOW: (
        ("discharge_lps", None),
        ("flow_lps", None),
        ("discharge_lt_lps", "lt"),
        ("discharge_gt_lps", "gt"),
    ),
    "temperature_c": (("c", None),),
    "conductivity_us_cm": (("us_cm", None),),
}
TIME = itemgetter(0)  # of a sample

log = logging.getLogger(__name__)


class Part:
    """An engine with how far it has come; until `quiet_until` it only learns."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.engine = Engine(site)
        self.withheld = Withheld()
        self.key = f"engine:{site.signals[0].key}"
        self.late_ms = late_ms(site)
        self.done: int | None = None
        self.quiet_until: int | None = None

    def restore(self, conn: sqlite3.Connection) -> None:
        kept = village_store.get_state(conn, self.key)
        if kept is None:
            self.quiet_until = _done_before(conn)
            return
        self.done, self.quiet_until = kept["done"], kept["quiet"]
        try:
            self.engine.load(kept["state"])
            self.withheld.load(kept.get("withheld", []))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            log.warning("%s: the state is of another version: it learns anew", self.key)
            self.engine = Engine(self.site)
            self.quiet_until, self.done = self.done, None

    def begin_anew(self, now_ms: int) -> None:
        """It came to a time that was none: learn the history again, tell what is new."""
        log.warning("%s: had come to a time in the future and learns anew", self.key)
        self.engine, self.withheld = Engine(self.site), Withheld()
        self.quiet_until, self.done = now_ms, None

    def keep(self, conn: sqlite3.Connection) -> None:
        state = {"done": self.done, "quiet": self.quiet_until, "state": self.engine.dump()}
        village_store.set_state(conn, self.key, {**state, "withheld": self.withheld.dump()})


class Watch:
    """All detectors of a site with their state."""

    def __init__(self, conn: sqlite3.Connection, plan: Plan, tells: village_alarms.Tells) -> None:
        self._conn = conn
        self._plan = plan
        self._tells = tells
        site = site_of(plan)
        self._parts = [Part(part) for part in split(site)]
        for part in self._parts:
            part.restore(conn)
        self._clocked = [d for d in detectors(site) if d.by_clock]
        self._clock_joint = Joint(site)
        for detector in self._clocked:
            kept = village_store.get_state(conn, f"detector:{detector.name}")
            if kept is not None:
                detector.load(kept["state"])
        told = village_store.get_state(conn, CLOCK_JOINT)
        self._clock_joint.load(self._open() if told is None else told)
        self._alive_ms: int | None = village_store.get_state(conn, "alive_ms")
        self._started = False
        self._newest: dict[str, int] = village_store.get_state(conn, "last_ts") or {}
        self._fresh: set[str] = set()  # nodes that have brought one since they were listened to

    def follow(self, last_ts: dict[str, int], now_ms: int, sure: bool = True) -> None:
        """Inside a transaction: bring each part to its watermark. While the clock is `sure` none
        can be in the future: one node's clock that runs ahead would make all others late."""
        self._fresh |= {n for n, ts in last_ts.items() if ts > self._newest.get(n, -1)}
        self._newest |= last_ts
        if sure:
            last_ts = {node: min(ts, now_ms) for node, ts in last_ts.items()}
        for part in self._parts:
            if sure and part.done is not None and part.done > now_ms + FUTURE_MS:
                part.begin_anew(now_ms)
            mark = watermark(last_ts, part.late_ms)
            if mark is None or (part.done is not None and mark <= part.done):
                continue
            silent = {s.point for s in part.site.signals if last_ts.get(s.node, mark) < mark}
            found = part.withheld.sift(self._advance(part, mark), silent, mark)
            part.done = mark
            part.keep(self._conn)
            self._apply(found, now_ms)

    def listen(self, words: Iterable[tuple[str, int]], now_ms: int) -> bool:
        """When each node was last heard; whether there was something to store."""
        found: list[Finding] = []
        for detector in self._clocked:
            if isinstance(detector, Silence) and self._were_away(now_ms):
                detector.excuse(now_ms)
            for node, received in words:
                found += detector.update(Sample(received, node, "word", 1.0))
                if node in self._fresh:
                    lag_s = (received - self._newest[node]) / 1000.0
                    found += detector.update(Sample(received, node, CLOCK, lag_s))
            found += detector.tick(now_ms)
        self._fresh = set()
        if not found and self._alive_ms is not None and 0 <= now_ms - self._alive_ms <= ALIVE_MS:
            return False
        with village_store.transaction(self._conn):
            self._alive_ms = now_ms
            village_store.set_state(self._conn, "alive_ms", now_ms)
            for detector in self._clocked:
                kept = {"done": 0, "state": detector.dump()}
                village_store.set_state(self._conn, f"detector:{detector.name}", kept)
            self._clock_joint.close(self._known(), self._clocked, now_ms)
            self._clock_joint.load({**self._clock_joint.dump(), "open": self._open()})
            self._apply(self._clock_joint.decide(found, now_ms), now_ms)
            village_store.set_state(self._conn, CLOCK_JOINT, self._clock_joint.dump())
        return True

    def _were_away(self, now_ms: int) -> bool:
        """Asked once, at the start: then nobody is blamed for silence meanwhile."""
        if self._started:
            return False
        self._started = True
        return self._alive_ms is not None and now_ms - self._alive_ms > AWAY_MS

    def _advance(self, part: Part, mark: int) -> list[Finding]:
        self._agree(part)
        found: list[Finding] = []
        after = self._first_ts(part, mark) - 1 if part.done is None else part.done
        part.engine.closures.tell(closures.told(self._conn, after))
        while after < mark:
            upto = min(mark, after + STRIDE_MS)
            found += part.engine.take(self._samples(part.site, after, upto))
            found += part.engine.advance(upto)
            after = upto
        quiet = part.quiet_until
        return found if quiet is None else [f for f in found if f.ts > quiet]

    def _agree(self, part: Part) -> None:
        """Who closed an alarm by hand ends it in its detector too, which looks on anew."""
        if not part.engine.joint.open:  # the usual case: nothing to ask the store for
            return
        waits = [*part.withheld.keys, *village_alarms.waiting(self._conn)]
        alarms = village_alarms.open_alarms(self._conn)
        still = [(a.kind, a.place) for a in alarms if a.calm is None]
        part.engine.agree([*still, *waits], [*((a.kind, a.place) for a in alarms), *waits])

    def _first_ts(self, part: Part, mark: int) -> int:
        """Each is the first of its index: a history of years is not gone through, and where there
        is nothing yet there are no years since 1970 either."""
        sql = "SELECT min(ts) FROM value WHERE point=? AND quantity=?"
        found = [
            self._conn.execute(sql, (signal.point, quantity)).fetchone()[0]
            for signal in part.site.signals
            for quantity, _ in STORED.get(signal.quantity, ((signal.quantity, None),))
        ]
        return min((int(ts) for ts in found if ts is not None), default=mark + 1)

    def _samples(self, site: Site, after: int, upto: int) -> list[Sample]:
        """In order of time; of the plan, and then of STORED, where times are equal."""
        cursor = self._conn.cursor()
        cursor.row_factory = None
        found: list[Sample] = []
        for signal in site.signals:
            point, key = signal.point, signal.quantity
            for quantity, bound in STORED.get(key, ((key, None),)):
                rows = cursor.execute(
                    "SELECT ts, value, q FROM value"
                    " WHERE point=? AND quantity=? AND ts>? AND ts<=? AND manual=0",
                    (point, quantity, after, upto),
                )
                found += [Sample(ts, point, key, value, None, q, bound) for ts, value, q in rows]
        found.sort(key=TIME)
        return found

    def _open(self) -> list[tuple[str, str]]:
        """What is open and not over: what has ended may begin again."""
        alarms = village_alarms.open_alarms(self._conn)
        return [(a.kind, a.place) for a in alarms if a.calm is None]

    def _known(self) -> list[tuple[str, str]]:
        alarms = village_alarms.open_alarms(self._conn)
        return [*((a.kind, a.place) for a in alarms), *village_alarms.waiting(self._conn)]

    def _apply(self, news: list[Finding], now_ms: int) -> None:
        news = [f for f in news if not f.kind.startswith(PLANNED)]
        if news:
            village_alarms.apply(self._conn, news, self._plan, now_ms, self._tells)


def _done_before(conn: sqlite3.Connection) -> int | None:
    """Up to when an earlier version has told its alarms: they are not told again."""
    row = conn.execute("SELECT max(raised) FROM alarm").fetchone()
    return None if row is None or row[0] is None else int(row[0])
