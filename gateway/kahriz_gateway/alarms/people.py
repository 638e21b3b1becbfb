# SPDX-License-Identifier: MIT
"""The village's messages to people: with the evidence as a chart, and the daily sign of life."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kahriz_alarms.alarm import Event
from kahriz_alarms.loop import people
from kahriz_alarms.loop.people import Done as Done
from kahriz_alarms.loop.people import Job as Job
from kahriz_alarms.loop.people import attempt as attempt
from kahriz_alarms.people import Person
from kahriz_gateway.alarms import chart as alarm_chart
from kahriz_gateway.alarms import sign as alarm_sign
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan


class PeopleSender(people.PeopleSender):
    """`step` does what is to be done now and can be called by a test."""

    def open(self) -> sqlite3.Connection:
        return village_store.open_village(self._path)

    def daily(self, conn: sqlite3.Connection, plan: Plan, now: int) -> None:
        alarm_sign.daily(conn, plan, now)

    def chart(
        self, conn: sqlite3.Connection, events: Iterable[Event], plan: Plan, to: Person
    ) -> bytes | None:
        return alarm_chart.chart(conn, events, plan, to)
