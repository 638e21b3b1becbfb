# SPDX-License-Identifier: MIT
"""Reading in, values out: what a node measured becomes stage, discharge, level and volume.

Pure and repeatable: the same row, deployments and plan give the same values, so that a new zero
recomputes history. Raw rows are never changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kahriz_water import deployment, pool, quality, sound
from kahriz_water.deployment import Deployment
from kahriz_water.site import Plan, Point
from kahriz_water.value import Value
from kahriz_wire import fields

U_ZERO_M = 0.002  # standard: a zero taken with a hook gauge or a level, on site
U_ECHO_M = 0.003  # standard, of one echo when a node reports no spread: A02YYUW, seen on water
HELPERS = ("spread_m", "echoes")  # they qualify a distance and are no values of their own


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored row: who, when, the node's own flag, and the numbers by row key."""

    node: str
    ts: int
    q: int
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel's numbers of a row, and where they belong."""

    point: Point
    at: Deployment
    numbers: Mapping[str, float]


def interpret(reading: Reading, deployments: Sequence[Deployment], plan: Plan) -> list[Value]:
    """Values of one reading, at most one for each point and quantity."""
    channels = list(_channels(reading, deployments, plan))
    air: dict[str, float] = {}
    for channel in channels:
        celsius = channel.numbers.get("c")
        if celsius is not None and quality.gross_range_q("c", celsius) == quality.PASS:
            air.setdefault(channel.point.id, celsius)
    row_q = reading.q if reading.q in fields.QARTOD else quality.NOT_EVALUATED
    found: dict[tuple[str, str], Value] = {}
    for channel in channels:
        for quantity, value, u, q in _values(channel, air.get(channel.point.id), row_q):
            value_of = Value(channel.point.id, quantity, reading.ts, value, u, q)
            found.setdefault((channel.point.id, quantity), value_of)
    return list(found.values())


def _channels(
    reading: Reading, deployments: Sequence[Deployment], plan: Plan
) -> Iterable[_Channel]:
    grouped: dict[str, dict[str, float]] = {}
    for key, number in reading.body.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue  # a fault word, or a text of a later version
        name, quantity = fields.split(key) or _first_cut(key)
        grouped.setdefault(name, {})[quantity] = float(number)
    for name, numbers in grouped.items():
        at = deployment.at(deployments, reading.node, name, reading.ts)
        if at is None:
            at = _undated(reading, name, deployments, plan)
        point = None if at is None else plan.point(at.point)
        if at is not None and point is not None:
            yield _Channel(point, at, numbers)


def _first_cut(key: str) -> tuple[str, str]:
    """Channel and quantity of a key whose quantity this version does not know."""
    name, _, quantity = key.partition("_")
    return name, quantity or key


def _undated(
    reading: Reading, channel: str, deployments: Sequence[Deployment], plan: Plan
) -> Deployment | None:
    """A channel that never had a record belongs to the point that expects its node."""
    if any(d.node == reading.node and d.channel == channel for d in deployments):
        return None
    point = next((p for p in plan.points if p.node == reading.node), None)
    return None if point is None else Deployment(reading.node, channel, point.id, 0)


_Derived = tuple[str, float, float | None, int]


def _values(channel: _Channel, air_c: float | None, row_q: int) -> Iterable[_Derived]:
    for quantity, number in channel.numbers.items():
        if quantity in HELPERS:
            continue
        q = quality.worst(row_q, quality.gross_range_q(quantity, number))
        if quantity == "distance_m":
            yield from _from_distance(channel, number, air_c, q)
        elif quantity == "current_ma":
            yield from _from_current(channel, number, q)
        else:
            yield quantity, number, None, q
            if quantity in ("level_m", "stage_m") and q < quality.FAIL:
                yield from _from_level(channel.point, quantity, number, U_ZERO_M, q)


def _from_distance(
    channel: _Channel, read_m: float, air_c: float | None, q: int
) -> Iterable[_Derived]:
    if channel.at.zero_m is None or q >= quality.FAIL:
        yield "distance_m", read_m, None, q
        return
    declared = channel.at.sound_speed or "fixed"
    if air_c is None and declared != "compensated":
        q = quality.worst(q, quality.SUSPECT)
    distance_m = sound.true_distance_m(read_m, declared, air_c)
    echoes = max(1.0, channel.numbers.get("echoes", 1.0))
    spread_m = channel.numbers.get("spread_m", U_ECHO_M)
    u_echo_m = spread_m / math.sqrt(echoes)
    u_temperature_m = sound.u_temperature_m(distance_m, declared, air_c)
    u_m = math.sqrt(U_ZERO_M**2 + u_temperature_m**2 + u_echo_m**2)
    if channel.point.kind == "weir":
        stage_m = channel.at.zero_m - distance_m
        yield "stage_m", stage_m, 2.0 * u_m, q
        yield from _from_level(channel.point, "stage_m", stage_m, u_m, q)
    else:
        level = channel.at.zero_m - distance_m
        yield "level_m", level, 2.0 * u_m, q
        yield from _from_level(channel.point, "level_m", level, u_m, q)


def _from_current(channel: _Channel, current_ma: float, q: int) -> Iterable[_Derived]:
    q = quality.worst(q, pool.current_q(current_ma))
    if channel.at.zero_m is None or channel.at.span_m is None or q >= quality.FAIL:
        yield "current_ma", current_ma, None, q
        return
    level = pool.level_m(current_ma, channel.at.zero_m, channel.at.span_m)
    u_m = math.hypot(U_ZERO_M, pool.U_SPAN * channel.at.span_m)
    yield "level_m", level, 2.0 * u_m, q
    yield from _from_level(channel.point, "level_m", level, u_m, q)


def _from_level(
    point: Point, quantity: str, level: float, u_m: float, q: int
) -> Iterable[_Derived]:
    """Discharge of a stage over a structure, volume under a level."""
    if quantity == "stage_m" and point.structure is not None:
        flow = point.structure.discharge(level, u_m)
        flow_q = quality.worst(q, flow.q)
        if flow.lps is not None:
            yield "discharge_lps", flow.lps, flow.u_lps, flow_q
        if flow.below_lps is not None:
            yield "discharge_lt_lps", flow.below_lps, None, flow_q
        if flow.above_lps is not None:
            yield "discharge_gt_lps", flow.above_lps, None, flow_q
    if quantity == "level_m" and point.level_volume:
        volume = pool.volume_m3(level, point.level_volume)
        if volume is not None:
            u_m3 = 2.0 * u_m * pool.area_m2(level, point.level_volume)
            yield "volume_m3", volume, u_m3, q
