# SPDX-License-Identifier: MIT
"""The village's keeper of alarms: the loop, with storms, access points and the water's proof."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from kahriz_alarms import proof, tree
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import keeper
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import proof as alarm_proof
from kahriz_gateway.clock import Clock
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

Words = Callable[[], Mapping[str, int]]  # node -> when it was last heard


class Keeper(keeper.Keeper):
    """`words` says when nodes were heard."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        clock: Clock,
        tells: alarm_book.Tells,
        words: Words | None = None,
    ) -> None:
        super().__init__(path, plan, clock, tells)
        self._words = words

    def open(self) -> sqlite3.Connection:
        return village_store.open_village(self._path)

    def look(self, conn: sqlite3.Connection, now: int) -> None:
        alarm_advisory.keep(conn, self._plan, now, self._tells)
        self._wifis(conn, now)

    def begin(self, conn: sqlite3.Connection, finding: Finding, now: int) -> Alarm:
        return village_alarms.raise_alarm(conn, finding, self._plan, now, self._tells)

    def lacks(self, conn: sqlite3.Connection, alarm: Alarm, now: int) -> dict[str, str]:
        return proof.lacking(alarm_proof.facts(conn, alarm, self._plan, now))

    def _wifis(self, conn: sqlite3.Connection, now: int) -> None:
        """An access point whose nodes have all gone silent is the cause; one word ends it."""
        opened = village_alarms.open_alarms(conn)
        silent = [
            node
            for a in opened
            if a.kind == "silent_node" and a.calm is None
            for node in tree.nodes_of(a.place, self._plan)
        ]
        standing = {a.place for a in opened if a.kind == "wifi" and a.calm is None}
        if not (self._plan.wifis and (silent or standing)):
            return
        words = {} if self._words is None else self._words()
        dead = set(tree.dead_wifis(self._plan, silent, words, now))
        since = {
            w.id: max((words[n] for n in w.nodes if n in words), default=now)
            for w in self._plan.wifis
        }
        found = [
            Finding(RAISED, "wifi", place, now, evidence={"since_ms": float(since[place])})
            for place in sorted(dead - standing)
        ]
        found += [Finding(CLEARED, "wifi", place, now) for place in sorted(standing - dead)]
        village_alarms.apply(conn, found, self._plan, now, self._tells)
