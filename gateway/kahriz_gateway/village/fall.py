# SPDX-License-Identifier: MIT
"""Asks about a sudden loss at the mouth as soon as its readings are stored, before the others come.

When a detector finds out later that it was a collapse or a blockage, it is told with that. State
and alarm are stored in the caller's transaction.

What metered offtakes take above the mouth is counted with it, as far as their nodes have spoken. A
mouth that people said they close, or a gate that lets the chamber rise, is not told; a chamber that
falls with the mouth is, whatever was said. Nothing waits for a word that has not come.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from dataclasses import asdict, replace

from kahriz_alarms.alarm import Alarm
from kahriz_detect.closure import Closures
from kahriz_detect.finding import RAISED, Finding
from kahriz_detect.site_plan import site_of
from kahriz_detect.source import fall, gate
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import closures
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

FLOWS = ("discharge_lps", "flow_lps", "discharge_lt_lps")  # "less than" is at most that much
SUSPECT = 3
OTHERS = ("collapse", "blockage")  # what a detector may know better
Reading = tuple[int, float]


class Falls:
    """One mouth of a site each."""

    def __init__(self, conn: sqlite3.Connection, plan: Plan, tells: village_alarms.Tells) -> None:
        self._conn, self._plan, self._tells = conn, plan, tells
        site = site_of(plan)
        self._sources = {source.outlet: source for source in site.sources}
        self._mouths = {outlet: source.place for outlet, source in self._sources.items()}
        self._closures = Closures(site)
        self._fresh_ms = {p.id: fall.fresh_for(p.dt_s, p.batch) for p in plan.points}
        self._states = {
            place: fall.State(**(village_store.get_state(conn, f"fall:{place}") or {}))
            for place in self._mouths.values()
        }

    def look(self, now_ms: int, sure: bool = True) -> None:
        """Inside a transaction: judge what has come; `sure` when the clock is believed."""
        self._closures.tell(closures.told(self._conn, now_ms - 2 * fall.DAY_MS))
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
        closed = {ts for ts, _ in readings if point in self._closures.at(ts)}
        if closed:
            chamber = self._chamber(point, newest)
            readings = [r for r in readings if r[0] not in closed or gate.fell(chamber, r[0])]
        first = bisect_right(readings, (state.upto, float("inf")))
        news = []
        for upto in range(first + 1, len(readings) + 1):
            before = state
            state, found = fall.look(place, readings[:upto], state, now_ms, fresh_ms)
            if found is not None and self._is_gate(found, point, newest):
                state, found = replace(before, upto=state.upto), None  # asked again with the next
            if found is not None:
                news.append(found)
        return state, news

    def _is_gate(self, found: Finding, point: str, newest: int) -> bool:
        return found.what == RAISED and gate.shut(found, self._chamber(point, newest))

    def _chamber(self, point: str, newest: int) -> list[tuple[int, float]]:
        """Levels above the mouth, of a day."""
        chamber = self._sources[point].chamber
        if chamber is None:
            return []
        found = village_store.values_between(
            self._conn, chamber, "level_m", newest - fall.DAY_MS, newest + self._fresh_ms[point]
        )
        return [(v.ts, v.value) for v in found if v.q < SUSPECT]

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
        return gate.with_taken(sorted(found.items()), self._taken(point, after, newest))

    def _taken(self, point: str, after: int, newest: int) -> list[tuple[int, list[Reading]]]:
        """How long each offtake above the mouth may keep silent, and what it took."""
        found = []
        for offtake in self._sources[point].taken:
            read = [
                (v.ts, v.value)
                for quantity in FLOWS[:2]
                for v in village_store.values_between(self._conn, offtake, quantity, after, newest)
                if v.q < SUSPECT
            ]
            found.append((self._fresh_ms[offtake], sorted(read)))
        return found
