# SPDX-License-Identifier: MIT
"""Asks about a sudden loss at the mouth as soon as its readings are stored, before the others come.

When a detector finds out later that it was a collapse or a blockage, it is told with that. State
and alarm are stored in the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from dataclasses import asdict

from kahriz_alarms.alarm import Alarm
from kahriz_detect.finding import RAISED, Finding
from kahriz_detect.site_plan import site_of
from kahriz_detect.source import fall
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

FLOWS = ("discharge_lps", "flow_lps", "discharge_lt_lps")  # "less than" is at most that much
SUSPECT = 3
OTHERS = ("collapse", "blockage")  # what a detector may know better


class Falls:
    """One mouth of a site each."""

    def __init__(self, conn: sqlite3.Connection, plan: Plan, tells: village_alarms.Tells) -> None:
        self._conn, self._plan, self._tells = conn, plan, tells
        self._mouths = {source.outlet: source.place for source in site_of(plan).sources}
        self._fresh_ms = {p.id: fall.fresh_for(p.dt_s, p.batch) for p in plan.points}
        self._states = {
            place: fall.State(**(village_store.get_state(conn, f"fall:{place}") or {}))
            for place in self._mouths.values()
        }

    def look(self, now_ms: int, sure: bool = True) -> None:
        """Inside a transaction: judge what has come; `sure` when the clock is believed."""
        for point, place in self._mouths.items():
            before = self._states[place]
            if sure and before.upto > now_ms + fall.DAY_MS:  # it came to a time that was none
                before = self._states[place] = fall.State(now_ms)
            newest = self._newest(point)
            if newest is None or newest <= before.upto or now_ms - newest > self._fresh_ms[point]:
                continue
            state, news = self._judged(point, place, before, now_ms, newest)
            self._states[place] = state
            village_store.set_state(self._conn, f"fall:{place}", asdict(state))
            cause = self._cause(point, place)
            news = [f for f in news if cause is None or f.what != RAISED]
            if news:
                village_alarms.apply(self._conn, news, self._plan, now_ms, self._tells)
            elif cause is not None and state.before_lps is not None:
                self._join(place, cause, now_ms)

    def _judged(
        self, point: str, place: str, state: fall.State, now_ms: int, newest: int
    ) -> tuple[fall.State, list[Finding]]:
        """One after the other, though they came together: who was away missed none of them."""
        readings, fresh_ms = self._readings(point, newest), self._fresh_ms[point]
        first = bisect_right(readings, (state.upto, float("inf")))
        news = []
        for upto in range(first + 1, len(readings) + 1):
            state, found = fall.look(place, readings[:upto], state, now_ms, fresh_ms)
            if found is not None:
                news.append(found)
        return state, news

    def _cause(self, point: str, place: str) -> Alarm | None:
        """The open alarm that knows better: of the mouth, or of the reach below it."""
        places = [place, *(r.id for r in self._plan.reaches if r.from_ == point)]
        found = [village_alarms.open_alarm(self._conn, k, p) for k in OTHERS for p in places]
        return next((alarm for alarm in found if alarm is not None), None)

    def _join(self, place: str, cause: Alarm, now_ms: int) -> None:
        alarm = village_alarms.open_alarm(self._conn, fall.KIND, place)
        if alarm is not None and alarm.parent is None:
            village_alarms.step(
                self._conn, alarm, "joined", now_ms, self._tells, data={"parent": cause.id}
            )

    def _newest(self, point: str) -> int | None:
        found = [village_store.last_value(self._conn, point, quantity) for quantity in FLOWS]
        return max((v.ts for v in found if v is not None), default=None)

    def _readings(self, point: str, newest: int) -> list[tuple[int, float]]:
        after = newest - fall.DAY_MS - fall.SETTLED_MS - self._fresh_ms[point]
        found: dict[int, float] = {}
        for quantity in FLOWS:
            for v in village_store.values_between(self._conn, point, quantity, after, newest):
                if v.q < SUSPECT or quantity == FLOWS[-1]:  # a bound is true though out of range
                    found[v.ts] = v.value
        return sorted(found.items())
