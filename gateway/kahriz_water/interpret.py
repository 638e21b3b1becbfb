# SPDX-License-Identifier: MIT
"""Reading in, values out: what a node measured becomes stage, discharge, level and volume.

Pure and repeatable: the same row, records and plan give the same values, so that a new zero or
rating recomputes history. Raw rows are never changed.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from kahriz_water import deployment, pool, quality, sound
from kahriz_water.deployment import Deployment
from kahriz_water.records import U_ZERO_M, Records, Zero
from kahriz_water.site import Plan, Point
from kahriz_water.structures import Discharge, Structure
from kahriz_water.value import Value
from kahriz_wire import fields

U_ECHO_M = 0.003  # standard, of one echo when a node reports no spread: A02YYUW, seen on water
PLACES_MOST = 4_096  # what is looked up once is forgotten beyond so many
_NO_FLAGS: Mapping[str, int] = {}
HELPERS = ("spread_m", "echoes")  # they qualify a distance and are no values of their own


class Reading(NamedTuple):
    """A stored row: who, when, the node's own flag, and the numbers by row key.

    `flags` are the quality tests' by row key.
    """

    node: str
    ts: int
    q: int
    body: Mapping[str, object]
    flags: Mapping[str, int] | None = None


class _Place(NamedTuple):
    """Where a channel hangs at a moment, and the records that hold for it then."""

    point: Point
    at: Deployment
    zero: Zero | None
    u_staff_m: float
    structure: Structure | None


class _Channel(NamedTuple):
    """One channel's numbers of a row with their flags, and where they belong."""

    place: _Place
    numbers: Mapping[str, float]
    flags: Mapping[str, int]


class _Context(NamedTuple):
    """What the channels of one row tell each other."""

    row_q: int
    air_c: Mapping[str, float]  # by point
    tail_m: dict[str, float | None]  # by point; None: a tail channel without a number


class _Derived(NamedTuple):
    quantity: str
    value: float
    u: float | None
    q: int
    u_random: float | None = None


def interpret(reading: Reading, records: Records | Sequence[Deployment], plan: Plan) -> list[Value]:
    """Values of one reading, at most one for each point and quantity."""
    if not isinstance(records, Records):
        records = Records(tuple(records))
    return Interpretation(records, plan).values(reading)


@dataclass(slots=True)
class Interpretation:
    """Interprets many readings with the same records: what they say of a channel is looked up once

    for each span of time in which no record begins or ends.
    """

    records: Records
    plan: Plan
    _turns: list[int] = field(init=False, repr=False)
    _places: dict[tuple[str, str, int], _Place | None] = field(default_factory=dict, repr=False)
    _tails: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._turns = self.records.turns()

    def values(self, reading: Reading) -> list[Value]:
        """Values of one reading, at most one for each point and quantity."""
        span = bisect.bisect_right(self._turns, reading.ts)
        channels = self._channels(reading, span)
        if len(channels) > 1:
            channels.sort(key=_is_head)
        air: dict[str, float] = {}
        for channel in channels:
            celsius = channel.numbers.get("c")
            if celsius is not None and quality.gross_range_q("c", celsius) == quality.PASS:
                air.setdefault(channel.place.point.id, celsius)
        row_q = reading.q if reading.q in fields.QARTOD else quality.NOT_EVALUATED
        context = _Context(row_q, air, dict.fromkeys(self._silent_tails(reading, span)))
        found: dict[tuple[str, str], Value] = {}
        for channel in channels:  # tailwater first
            point, ts = channel.place.point.id, reading.ts
            for d in _values(channel, context):
                key = (point, d.quantity)
                if key not in found:
                    found[key] = Value(point, d.quantity, ts, d.value, d.u, d.q, d.u_random)
        return list(found.values())

    def _channels(self, reading: Reading, span: int) -> list[_Channel]:
        grouped: dict[str, dict[str, float]] = {}
        flags: dict[str, dict[str, int]] = {}
        for key, number in reading.body.items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue  # a fault word, or a text of a later version
            name, quantity = split(key)
            if name in grouped:
                grouped[name][quantity] = float(number)
            else:
                grouped[name] = {quantity: float(number)}
            if reading.flags and key in reading.flags:
                flags.setdefault(name, {})[quantity] = reading.flags[key]
        found = []
        for name, numbers in grouped.items():
            place = self._place(reading.node, name, reading.ts, span)
            if place is not None:
                found.append(_Channel(place, numbers, flags.get(name, _NO_FLAGS)))
        return found

    def _place(self, node: str, channel: str, ts_ms: int, span: int) -> _Place | None:
        key = (node, channel, span)
        if key not in self._places:
            if len(self._places) > PLACES_MOST:
                self._places.clear()
            self._places[key] = self._look_up(node, channel, ts_ms)
        return self._places[key]

    def _look_up(self, node: str, channel: str, ts_ms: int) -> _Place | None:
        records = self.records
        at = deployment.at(records.deployments, node, channel, ts_ms)
        if at is None:
            at = self._undated(node, channel)
        point = None if at is None else self.plan.point(at.point)
        if at is None or point is None:
            return None
        zero = records.zero_at(at, ts_ms)
        u_staff_m = 0.0 if zero is None else records.u_staff_m(point.id, zero, ts_ms)
        return _Place(point, at, zero, u_staff_m, records.structure_at(point, ts_ms))

    def _undated(self, node: str, channel: str) -> Deployment | None:
        """A channel that never had a record belongs to the point that expects its node."""
        if any(d.node == node and d.channel == channel for d in self.records.deployments):
            return None
        point = next((p for p in self.plan.points if p.node == node), None)
        return None if point is None else Deployment(node, channel, point.id, 0)

    def _silent_tails(self, reading: Reading, span: int) -> tuple[str, ...]:
        """Points with a tailwater sensor on this node: unknown until it has spoken."""
        key = (reading.node, span)
        if key not in self._tails:
            if len(self._tails) > PLACES_MOST:
                self._tails.clear()
            self._tails[key] = tuple(
                d.point
                for d in self.records.deployments
                if d.role == "tail" and d.node == reading.node and d.holds_at(reading.ts)
            )
        return self._tails[key]


def _is_head(channel: _Channel) -> bool:
    return channel.place.at.role == "head"


@lru_cache(1024)
def split(key: str) -> tuple[str, str]:
    """Channel and quantity of a row key, also when this version does not know the quantity."""
    name, _, quantity = key.partition("_")
    return fields.split(key) or (name, quantity or key)


def _values(channel: _Channel, context: _Context) -> Iterable[_Derived]:
    point = channel.place.point
    for quantity, number in channel.numbers.items():
        if quantity in HELPERS:
            continue
        flag = channel.flags.get(quantity, quality.PASS)
        q = quality.worst(context.row_q, quality.gross_range_q(quantity, number), flag)
        if quantity == "distance_m":
            yield from _from_distance(channel, number, context, q)
        elif quantity == "current_ma":
            yield from _from_current(channel, number, context, q)
        elif quantity == "flow_lps" and point.meter is not None and q < quality.FAIL:
            flow = point.meter.flow(number, point.dt_s)
            yield from of_discharge(flow, q, "flow_lps")
        else:
            yield _Derived(quantity, number, None, q)
            if quantity in ("level_m", "stage_m") and q < quality.FAIL:
                yield from _from_level(channel.place, quantity, number, (U_ZERO_M, 0.0), q, context)


def _from_distance(
    channel: _Channel, read_m: float, context: _Context, q: int
) -> Iterable[_Derived]:
    point, at, zero, u_staff_m, _ = channel.place
    if zero is None or q >= quality.FAIL:
        yield _Derived("distance_m", read_m, None, q)
        return
    declared = at.sound_speed or "fixed"
    air_c = context.air_c.get(point.id)
    if air_c is None and declared != "compensated":
        q = quality.worst(q, quality.SUSPECT)
    distance_m = sound.true_distance_m(read_m, declared, air_c)
    echoes = max(1.0, channel.numbers.get("echoes", 1.0))
    spread_m = channel.numbers.get("spread_m", U_ECHO_M)
    u_echo_m = spread_m / math.sqrt(echoes)
    u_temperature_m = sound.u_temperature_m(distance_m, declared, air_c)
    u_m = math.sqrt(zero.u_m**2 + u_temperature_m**2 + u_staff_m**2 + u_echo_m**2)
    stage_m = zero.zero_m - distance_m
    if at.role == "tail":
        context.tail_m[point.id] = stage_m
        yield _Derived("tail_m", stage_m, 2.0 * u_m, q, 2.0 * u_echo_m)
        return
    quantity = "stage_m" if point.kind == "weir" else "level_m"
    yield _Derived(quantity, stage_m, 2.0 * u_m, q, 2.0 * u_echo_m)
    yield from _from_level(channel.place, quantity, stage_m, (u_m, u_echo_m), q, context)


def _from_current(
    channel: _Channel, current_ma: float, context: _Context, q: int
) -> Iterable[_Derived]:
    q = quality.worst(q, pool.current_q(current_ma))
    point, at, zero, u_checked_m, _ = channel.place
    if zero is None or at.span_m is None or q >= quality.FAIL:
        yield _Derived("current_ma", current_ma, None, q)
        return
    level = pool.level_m(current_ma, zero.zero_m, at.span_m)
    weir = point.kind == "weir"
    u_staff_m = u_checked_m * weir
    u_m = math.hypot(zero.u_m, pool.U_SPAN * at.span_m, u_staff_m)
    if at.role == "tail":
        context.tail_m[point.id] = level
        yield _Derived("tail_m", level, 2.0 * u_m, q)
        return
    quantity = "stage_m" if weir else "level_m"
    yield _Derived(quantity, level, 2.0 * u_m, q)
    yield from _from_level(channel.place, quantity, level, (u_m, 0.0), q, context)


def _from_level(
    place: _Place,
    quantity: str,
    level: float,
    u_m: tuple[float, float],
    q: int,
    context: _Context,
) -> Iterable[_Derived]:
    """Discharge of a stage over a structure, volume under a level; `u_m` is all and random."""
    point, structure = place.point, place.structure
    if quantity == "stage_m" and structure is not None:
        tail_m = context.tail_m.get(point.id)
        if tail_m is None and point.id in context.tail_m:
            q = quality.worst(q, quality.SUSPECT)  # nobody knows whether it is drowned
        yield from of_discharge(structure.discharge(level, *u_m, tail_m), q)
    if quantity == "level_m" and point.level_volume:
        volume = pool.volume_m3(level, point.level_volume)
        if volume is not None:
            area_m2 = pool.area_m2(level, point.level_volume)
            u_m3, u_random_m3 = 2.0 * u_m[0] * area_m2, 2.0 * u_m[1] * area_m2
            yield _Derived("volume_m3", volume, u_m3, q, u_random_m3 or None)


def of_discharge(flow: Discharge, q: int, quantity: str = "discharge_lps") -> Iterable[_Derived]:
    """A discharge, or the bound in its place, as it is stored."""
    q = quality.worst(q, flow.q)
    if flow.lps is not None:
        yield _Derived(quantity, flow.lps, flow.u_lps, q, flow.u_random_lps or None)
    if flow.below_lps is not None:
        yield _Derived("discharge_lt_lps", flow.below_lps, None, q)
    if flow.above_lps is not None:
        yield _Derived("discharge_gt_lps", flow.above_lps, None, q)
