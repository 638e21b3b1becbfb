# SPDX-License-Identifier: MIT
"""The front screen as data: how much water now and today, is something wrong, how old is it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kahriz_alarms.alarm import Alarm
from kahriz_alarms.kinds import KINDS
from kahriz_gateway.page import queries
from kahriz_gateway.page.format import DAY_MS, midnight
from kahriz_gateway.page.nodes import late_ms
from kahriz_gateway.page.quantities import Quantity, order, quantity
from kahriz_gateway.page.queries import Number
from kahriz_gateway.records.manual import instrument_notes
from kahriz_gateway.records.store import calibration_of
from kahriz_gateway.village.store import quantities_of, values_between
from kahriz_water import filling
from kahriz_water.site import Plan, Point
from kahriz_water.totals import Total

# Alarms that mean water is being lost or has stayed away; all others ask for a look.
WATER_ALARMS = tuple(kind for kind, rules in KINDS.items() if rules.proof)
STORAGE = ("pool", "tank")
AHEAD_MS = 120_000
LEARN_MS = 3 * DAY_MS  # a balance learns so long what is normal, and says nothing before
FLOWS = ("discharge_lps", "flow_lps")


@dataclass(frozen=True, slots=True)
class PointNow:
    """A measuring point: its numbers, the chief one first, and the share of a pool that is full.

    `off_mm`: the staff gauge has shown so much more than the sensor that it cannot be believed.
    """

    point: Point
    numbers: list[Number]
    percent: float | None
    heard: int | None
    stale: bool
    mute: bool
    uncalibrated: bool = False
    spilling: bool = False
    off_mm: float | None = None

    @property
    def chief(self) -> Number | None:
        return self.numbers[0] if self.numbers else None

    def ahead(self, now_ms: int) -> bool:
        """Whether its number is of later than now: somebody's clock is wrong."""
        return self.chief is not None and self.chief.ts - now_ms > AHEAD_MS


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """An open alarm and, when its measuring has gone silent, since when."""

    alarm: Alarm
    silent_since: int | None


@dataclass(frozen=True, slots=True)
class Now:
    """Everything on the front screen."""

    at: int
    status: str
    main: PointNow
    today: Total | None
    points: list[PointNow]
    alarms: list[AlarmNow]
    learning_until: int | None = None

    @property
    def empty(self) -> bool:
        return all(p.heard is None for p in self.points)


def main_point(plan: Plan) -> Point:
    """The point that stands for the kahriz: where its first reach begins, else its first flow."""
    ends = {reach.to for reach in plan.reaches}
    for reach in plan.reaches:
        point = plan.point(reach.from_)
        if point is not None and point.id not in ends:
            return point
    flows = [p for p in plan.points if p.kind in ("weir", "flow")]
    return (flows or list(plan.points))[0]


def look(conn: sqlite3.Connection, plan: Plan, now_ms: int) -> Now:
    """Ask the store for the state of a kahriz at `now_ms`."""
    notes = instrument_notes(conn)
    points = [point_now(conn, point, now_ms, notes) for point in plan.points]
    chief = main_point(plan)
    main = next(p for p in points if p.point.id == chief.id)
    by_id = {p.point.id: p for p in points}
    alarms = [
        AlarmNow(a, _silent_since(plan, a, by_id)) for a in queries.alarms(conn, closed=False)
    ]
    what = flow_of(main)
    today = (
        queries.volume(conn, chief.id, what, (midnight(now_ms), now_ms), chief.dt_s)
        if what
        else None
    )
    learning = _learning_until(conn, plan, now_ms)
    return Now(now_ms, _status(main, points, alarms, now_ms), main, today, points, alarms, learning)


def full_at(conn: sqlite3.Connection, p: PointNow, now_ms: int) -> int | None:
    """When a pool that fills steadily will be full."""
    full, late = capacity_m3(p.point), late_ms(p.point.dt_s, p.point.batch)
    if full is None or p.stale or p.ahead(now_ms):
        return None
    after = now_ms - filling.LOOK_MS - late
    found = values_between(conn, p.point.id, "volume_m3", after, now_ms)
    return filling.full_at([(v.ts, v.value) for v in found if v.q < 3], full, late, now_ms)


def _learning_until(conn: sqlite3.Connection, plan: Plan, now_ms: int) -> int | None:
    """Until when at least no loss is told, because the meters of a reach are new."""
    ends = {ident for reach in plan.reaches for ident in (reach.from_, reach.to)}
    first = [
        edge[0]
        for ident in ends
        if (edge := queries.edges(conn, ident, quantity(FLOWS[0]))) is not None
    ]
    until = max(first, default=now_ms) + LEARN_MS
    return until if first and until > now_ms else None


def point_now(
    conn: sqlite3.Connection, point: Point, now_ms: int, notes: Mapping[str, Mapping[str, Any]]
) -> PointNow:
    """The newest numbers of a point. `mute`: its node speaks, but the chief sensor does not."""
    keys = order(point.kind, quantities_of(conn, point.id))
    numbers = [n for key in keys if (n := queries.latest(conn, point.id, quantity(key)))]
    chief = numbers[0] if numbers else None
    heard = queries.last_word(conn, point.id)
    late = late_ms(point.dt_s, point.batch)
    stale = chief is None or now_ms - chief.ts > late
    mute = heard is not None and (chief is None or heard - chief.ts > 2 * point.dt_s * 1000)
    gauged = point.structure is None or calibration_of(conn, point.id, now_ms).calibrated
    percent = _percent(point, numbers)
    return PointNow(
        point,
        numbers,
        None if percent is None else min(100.0, percent),
        heard,
        stale,
        mute,
        not gauged,
        spilling=percent is not None and percent > 100.0 and point.spill_m is not None,
        off_mm=notes[point.id]["offset_mm"] if point.id in notes else None,
    )


def flow_of(point: PointNow) -> Quantity | None:
    """The quantity whose sum over a day is m³, where the point has one."""
    keys = {_unbound(n.quantity) for n in point.numbers}
    return next((quantity(key) for key in FLOWS if key in keys), None)


def _unbound(key: str) -> str:
    return "discharge_lps" if key in ("discharge_lt_lps", "discharge_gt_lps") else key


def capacity_m3(point: Point) -> float | None:
    """The volume at the spill, or of the whole table where no spill is known."""
    table = point.level_volume
    if not table:
        return None
    if point.spill_m is None:
        return table[-1][1]
    for (level0, volume0), (level1, volume1) in pairwise(table):
        if point.spill_m <= level1:
            return volume0 + (volume1 - volume0) * (point.spill_m - level0) / (level1 - level0)
    return table[-1][1]


def _percent(point: Point, numbers: list[Number]) -> float | None:
    full = capacity_m3(point)
    volume = next((n.value for n in numbers if n.quantity == "volume_m3"), None)
    return 100 * volume / full if full and volume is not None else None


def _silent_since(plan: Plan, alarm: Alarm, points: dict[str, PointNow]) -> int | None:
    """An alarm does not end because its sensor died: from when on nothing was heard there."""
    if alarm.silent_since is not None:
        return alarm.silent_since
    reach = plan.reach(alarm.place)
    places = (reach.from_, reach.to) if reach else (alarm.place,)
    silent = [points[p] for p in places if p in points and points[p].stale]
    times = [p.chief.ts for p in silent if p.chief]
    return min(times, default=None)


def _status(main: PointNow, points: list[PointNow], alarms: list[AlarmNow], now_ms: int) -> str:
    """One word: act, none (no data), watch or normal. Silence is never normal."""
    if any(a.alarm.kind in WATER_ALARMS for a in alarms):
        return "act"
    if main.stale:
        return "none"
    if alarms or any(p.stale or p.mute or p.ahead(now_ms) for p in points):
        return "watch"
    if main.chief is not None and (main.chief.bound or main.chief.q == queries.SUSPECT):
        return "watch"
    return "normal"
