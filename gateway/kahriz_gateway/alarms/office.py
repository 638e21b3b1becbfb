# SPDX-License-Identifier: MIT
"""The office's server has taken nothing for a day: the crew is told, for the office cannot know.

Readings are not in danger: they wait here and go out when it is back. The first failure is kept
in the store, so that a restart does not begin the day anew.
"""

from __future__ import annotations

import sqlite3

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.clock import Clock
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

KIND = "office"
GONE_MS = 24 * 3_600_000


class OfficeWatch:
    """One output; its follower says how each try went."""

    def __init__(self, name: str, plan: Plan, clock: Clock, tells: alarm_book.Tells) -> None:
        self._name, self._plan, self._clock, self._tells = name, plan, clock, tells
        self._key = f"office:{name}"

    def failed(self, conn: sqlite3.Connection, why: str) -> None:
        now = self._clock.now_ms()
        since = village_store.get_state(conn, self._key)
        if since is None or since > now:  # a clock that was set back begins the day anew
            with village_store.transaction(conn):
                village_store.set_state(conn, self._key, now)
            return
        if now - since >= GONE_MS and village_alarms.open_alarm(conn, KIND, self._plan.id) is None:
            self._tell(conn, Finding(RAISED, KIND, self._plan.id, now, evidence={"says": why}))

    def worked(self, conn: sqlite3.Connection) -> None:
        """Something was handed over."""
        if village_store.get_state(conn, self._key) is None:
            return
        if village_alarms.open_alarm(conn, KIND, self._plan.id) is not None:
            now = self._clock.now_ms()
            self._tell(conn, Finding(CLEARED, KIND, self._plan.id, now))
        with village_store.transaction(conn):
            conn.execute("DELETE FROM state WHERE key=?", (self._key,))

    def _tell(self, conn: sqlite3.Connection, finding: Finding) -> None:
        with village_store.transaction(conn):
            village_alarms.apply(conn, [finding], self._plan, finding.ts, self._tells)
