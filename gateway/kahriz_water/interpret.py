# SPDX-License-Identifier: MIT
"""Reading in, values out: what a node measured becomes stage, discharge, level and volume.

Pure and repeatable: the same row, records and plan give the same values, so that a new zero or
rating recomputes history. Raw rows are never changed. Where a channel hangs and what holds for it
is looked up once for rows of the same keys in each span of time in which no record begins or ends.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
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
FAULT = "fault"  # a word in the place of numbers
SPREAD, ECHOES = "spread_m", "echoes"
HELPERS = (SPREAD, ECHOES)  # they qualify a distance and are no values of their own


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
    """A channel of a row: its place, each quantity with its row key, and what its echoes say."""

    place: _Place
    keys: tuple[tuple[str, str], ...]
    spread: str | None
    echoes: str | None


class _Layout(NamedTuple):
    """What rows of a node with the same keys have in common; tailwater comes first."""

    channels: tuple[_Channel, ...]
    air: tuple[tuple[str, str], ...]  # point and row key of each air temperature
    tails: tuple[str, ...]  # points with a tailwater sensor on this node


class _Row:
    """The values of one row as they are derived: the first one of a point and quantity stands."""

    __slots__ = ("air_c", "flags", "q", "tail_m", "ts", "values")

    def __init__(self, reading: Reading, tails: tuple[str, ...]) -> None:
        self.ts = reading.ts
        self.q = reading.q if reading.q in fields.QARTOD else quality.NOT_EVALUATED
        self.flags = reading.flags
        self.air_c: dict[str, float] = {}  # by point
        self.tail_m: dict[str, float | None] = dict.fromkeys(tails)  # None: it has not spoken
        self.values: dict[tuple[str, str], Value] = {}

    def put(self, value: Value) -> None:
        self.values.setdefault(value[:2], value)


def interpret(reading: Reading, records: Records | Sequence[Deployment], plan: Plan) -> list[Value]:
    """Values of one reading, at most one for each point and quantity."""
    if not isinstance(records, Records):
        records = Records(tuple(records))
    return Interpretation(records, plan).values(reading)


@dataclass(slots=True)
class Interpretation:
    """Interprets many readings with the same records."""

    records: Records
    plan: Plan
    _turns: list[int] = field(init=False, repr=False)
    _layouts: dict[tuple[str, int, tuple[str, ...]], _Layout] = field(
        default_factory=dict, repr=False
    )

    def __post_init__(self) -> None:
        self._turns = self.records.turns()

    def values(self, reading: Reading) -> list[Value]:
        """Values of one reading, at most one for each point and quantity."""
        body = reading.body
        key = (reading.node, bisect.bisect_right(self._turns, reading.ts), tuple(body))
        layout = self._layouts.get(key)
        if layout is None:
            layout = self._look_up(reading)
            if len(self._layouts) > PLACES_MOST:
                self._layouts.clear()
            self._layouts[key] = layout
        row = _Row(reading, layout.tails)
        for point, air in layout.air:
            celsius = number(body[air])
            if celsius is not None and quality.gross_range_q("c", celsius) == quality.PASS:
                row.air_c.setdefault(point, celsius)
        for channel in layout.channels:
            _channel_values(channel, body, row)
        return list(row.values.values())

    def _look_up(self, reading: Reading) -> _Layout:
        grouped: dict[str, list[tuple[str, str]]] = {}
        for key in reading.body:
            name, quantity = split(key)
            if quantity != FAULT:
                grouped.setdefault(name, []).append((quantity, key))
        found, air = [], []
        for name, keys in grouped.items():
            place = self._place(reading.node, name, reading.ts)
            if place is not None:
                known = dict(keys)
                values = tuple(each for each in keys if each[0] not in HELPERS)
                found.append(_Channel(place, values, known.get(SPREAD), known.get(ECHOES)))
                air += [(place.point.id, key) for quantity, key in keys if quantity == "c"]
        found.sort(key=lambda channel: channel.place.at.role == "head")
        return _Layout(tuple(found), tuple(air), self._tails(reading))

    def _place(self, node: str, channel: str, ts_ms: int) -> _Place | None:
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

    def _tails(self, reading: Reading) -> tuple[str, ...]:
        return tuple(
            d.point
            for d in self.records.deployments
            if d.role == "tail" and d.node == reading.node and d.holds_at(reading.ts)
        )


@lru_cache(1024)
def split(key: str) -> tuple[str, str]:
    """Channel and quantity of a row key, also when this version does not know the quantity."""
    name, _, quantity = key.partition("_")
    return fields.split(key) or (name, quantity or key)


def number(said: object) -> float | None:
    """A number of a row; None for a fault word, or a text of a later version."""
    if type(said) is float:
        return said
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def _channel_values(channel: _Channel, body: Mapping[str, object], row: _Row) -> None:
    place = channel.place
    point, flags = place.point, row.flags
    for quantity, key in channel.keys:
        said = number(body[key])
        if said is None:
            continue
        q = quality.worst(row.q, quality.gross_range_q(quantity, said))
        if flags and key in flags:
            q = quality.worst(q, flags[key])
        if quantity == "distance_m":
            _from_distance(place, said, _echo_m(channel, body), row, q)
        elif quantity == "current_ma":
            _from_current(place, said, row, q)
        elif quantity == "flow_lps" and point.meter is not None and q < quality.FAIL:
            flow = point.meter.flow(said, point.dt_s)
            row.put(of_discharge(point.id, row.ts, flow, q, "flow_lps"))
        else:
            row.put(Value(point.id, quantity, row.ts, said, None, q))
            if quantity in ("level_m", "stage_m") and q < quality.FAIL:
                _from_level(place, quantity, said, (U_ZERO_M, 0.0), row, q)


def _echo_m(channel: _Channel, body: Mapping[str, object]) -> float:
    """Standard uncertainty of the mean of a measurement's echoes."""
    spread_m = None if channel.spread is None else number(body[channel.spread])
    echoes = None if channel.echoes is None else number(body[channel.echoes])
    return (U_ECHO_M if spread_m is None else spread_m) / math.sqrt(max(1.0, echoes or 1.0))


def _from_distance(place: _Place, read_m: float, u_echo_m: float, row: _Row, q: int) -> None:
    point, at, zero, u_staff_m, _ = place
    if zero is None or q >= quality.FAIL:
        row.put(Value(point.id, "distance_m", row.ts, read_m, None, q))
        return
    declared = at.sound_speed or "fixed"
    air_c = row.air_c.get(point.id)
    if air_c is None and declared != "compensated":
        q = quality.worst(q, quality.SUSPECT)
    distance_m = sound.true_distance_m(read_m, declared, air_c)
    u_temperature_m = sound.u_temperature_m(distance_m, declared, air_c)
    u_m = math.sqrt(zero.u_m**2 + u_temperature_m**2 + u_staff_m**2 + u_echo_m**2)
    stage_m = zero.zero_m - distance_m
    if at.role == "tail":
        row.tail_m[point.id] = stage_m
        row.put(Value(point.id, "tail_m", row.ts, stage_m, 2.0 * u_m, q, 2.0 * u_echo_m))
        return
    quantity = "stage_m" if point.kind == "weir" else "level_m"
    row.put(Value(point.id, quantity, row.ts, stage_m, 2.0 * u_m, q, 2.0 * u_echo_m))
    _from_level(place, quantity, stage_m, (u_m, u_echo_m), row, q)


def _from_current(place: _Place, current_ma: float, row: _Row, q: int) -> None:
    q = quality.worst(q, pool.current_q(current_ma))
    point, at, zero, u_checked_m, _ = place
    if zero is None or zero.span_m is None or q >= quality.FAIL:
        row.put(Value(point.id, "current_ma", row.ts, current_ma, None, q))
        return
    level = pool.level_m(current_ma, zero.zero_m, zero.span_m)
    weir = point.kind == "weir"
    u_staff_m = u_checked_m * weir
    u_m = math.hypot(
        zero.u_m,
        pool.u_away_m(current_ma, zero.pivot_ma, zero.u_span_m),
        pool.U_SPAN * zero.span_m,
        u_staff_m,
    )
    if at.role == "tail":
        row.tail_m[point.id] = level
        row.put(Value(point.id, "tail_m", row.ts, level, 2.0 * u_m, q))
        return
    quantity = "stage_m" if weir else "level_m"
    row.put(Value(point.id, quantity, row.ts, level, 2.0 * u_m, q))
    _from_level(place, quantity, level, (u_m, 0.0), row, q)


def _from_level(
    place: _Place, quantity: str, level: float, u_m: tuple[float, float], row: _Row, q: int
) -> None:
    """Discharge of a stage over a structure, volume under a level; `u_m` is all and random."""
    point, structure = place.point, place.structure
    if quantity == "stage_m" and structure is not None:
        tail_m = row.tail_m.get(point.id)
        if tail_m is None and point.id in row.tail_m:
            q = quality.worst(q, quality.SUSPECT)  # nobody knows whether it is drowned
        flow = structure.discharge(level, *u_m, tail_m)
        row.put(of_discharge(point.id, row.ts, flow, q))
    if quantity == "level_m" and point.level_volume:
        volume = pool.volume_m3(level, point.level_volume)
        if volume is not None:
            area_m2 = pool.area_m2(level, point.level_volume)
            u_m3, u_random_m3 = 2.0 * u_m[0] * area_m2, 2.0 * u_m[1] * area_m2
            row.put(Value(point.id, "volume_m3", row.ts, volume, u_m3, q, u_random_m3 or None))


def of_discharge(
    point: str, ts: int, flow: Discharge, q: int, quantity: str = "discharge_lps"
) -> Value:
    """A discharge, or the bound in its place, as it is stored."""
    q = quality.worst(q, flow.q)
    if flow.below_lps is not None:
        return Value(point, "discharge_lt_lps", ts, flow.below_lps, None, q)
    if flow.above_lps is not None:
        return Value(point, "discharge_gt_lps", ts, flow.above_lps, None, q)
    assert flow.lps is not None
    return Value(point, quantity, ts, flow.lps, flow.u_lps, q, flow.u_random_lps or None)
