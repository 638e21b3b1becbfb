# SPDX-License-Identifier: MIT
"""The office has heard or taken nothing for a day: the crew is told, for the office cannot know.

Two ways lead there, the heartbeat and the readings (InfluxDB); the alarm names those that are
broken, is one, and ends when both work. Readings are not in danger: they wait here. The first
failure of each way is kept in the store, so that a restart does not begin the day anew.
"""

from __future__ import annotations

import sqlite3

from kahriz_alarms.loop import book as alarm_book
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.clock import Clock
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

KIND = "office"
GONE_MS = 24 * 3_600_000


class OfficeWatch:
    """One way; whoever goes it says how each try went."""

    def __init__(self, name: str, plan: Plan, clock: Clock, tells: alarm_book.Tells) -> None:
        self._name, self._plan, self._clock, self._tells = name, plan, clock, tells
        self._key = f"office:{name}"
        self._looked = False  # an alarm of a way that is no longer in the plan ends too

    def failed(self, conn: sqlite3.Connection, why: str) -> None:
        now = self._clock.now_ms()
        since = village_store.get_state(conn, self._key)
        if since is None or since > now:  # a clock that was set back begins the day anew
            with village_store.transaction(conn):
                village_store.set_state(conn, self._key, now)
            return
        alarm = village_alarms.open_alarm(conn, KIND, self._plan.id)
        if now - since >= GONE_MS and (alarm is None or alarm.calm is not None):
            evidence: dict[str, float | str] = {"since_ms": float(since), "says": why}
            self._tell(conn, Finding(RAISED, KIND, self._plan.id, now, evidence=evidence))

    def worked(self, conn: sqlite3.Connection) -> None:
        """It was heard, or something was handed over."""
        if village_store.get_state(conn, self._key) is not None:
            with village_store.transaction(conn):
                conn.execute("DELETE FROM state WHERE key=?", (self._key,))
        elif self._looked:
            return
        self._looked = True
        if village_alarms.open_alarm(conn, KIND, self._plan.id) is None:
            return
        now = self._clock.now_ms()
        ways = {"influx": self._plan.influx, "server": self._plan.server}
        others = [village_store.get_state(conn, f"office:{way}") for way in ways if ways[way]]
        if not any(since is not None and now - since >= GONE_MS for since in others):
            self._tell(conn, Finding(CLEARED, KIND, self._plan.id, now))

    def _tell(self, conn: sqlite3.Connection, finding: Finding) -> None:
        with village_store.transaction(conn):
            village_alarms.apply(conn, [finding], self._plan, finding.ts, self._tells)
