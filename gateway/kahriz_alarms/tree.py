# SPDX-License-Identifier: MIT
"""One cause, one message: what explains what, from power down to a sensor.

    power -> gateway -> access point -> node -> sensor

A loss of water is never explained by silence: it stays an alarm of its own, as the last known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kahriz_alarms import kinds
from kahriz_alarms.alarm import Alarm
from kahriz_water.site import Plan

LEAST = 2  # nodes of an access point: one alone says nothing about it


def parent(alarm: Alarm, open_alarms: Iterable[Alarm], plan: Plan) -> Alarm | None:
    """The open alarm nearest the root that explains this one."""
    level = kinds.of(alarm.kind).level
    if level is None:
        return None
    above = [
        a
        for a in open_alarms
        if a.id != alarm.id
        and (other := kinds.of(a.kind).level) is not None
        and other < level
        and _below(alarm, a, plan)
    ]
    return min(above, key=lambda a: (kinds.of(a.kind).level or 0, a.id), default=None)


def _below(alarm: Alarm, above: Alarm, plan: Plan) -> bool:
    """Whether the place of an alarm hangs under the place of another."""
    if above.place == plan.id:
        return alarm.kind not in ("gateway",) or above.kind == "mains"
    wifi = plan.wifi(above.place)
    if wifi is not None:
        return bool(nodes_of(alarm.place, plan) & set(wifi.nodes))
    return bool(nodes_of(alarm.place, plan) & nodes_of(above.place, plan))


def nodes_of(place: str, plan: Plan) -> set[str]:
    """The nodes at a place: of a point, of both ends of a reach, or the place itself."""
    reach = plan.reach(place)
    points = (place,) if reach is None else (reach.from_, reach.to)
    found = {p.node for ident in points if (p := plan.point(ident)) is not None}
    return found or {place}


def points_of(place: str, plan: Plan) -> tuple[str, ...]:
    """The points that tell of a place."""
    reach = plan.reach(place)
    return (place,) if reach is None else (reach.from_, reach.to)


def dead_wifis(
    plan: Plan, silent: Iterable[str], last_word_ms: Mapping[str, int], now_ms: int
) -> list[str]:
    """Access points of which a node is silent and every other one is late as well.

    Nodes speak at different minutes of the hour: when the first is counted as silent, the others
    have missed one upload at least.
    """
    quiet = set(silent)
    periods = {p.node: p.dt_s * p.batch * 1000 for p in plan.points}
    found = []
    for wifi in plan.wifis:
        if len(wifi.nodes) < LEAST or not quiet & set(wifi.nodes):
            continue
        late = [
            node in quiet
            or now_ms - last_word_ms.get(node, now_ms) > periods.get(node, 3_600_000) + 120_000
            for node in wifi.nodes
        ]
        if all(late):
            found.append(wifi.id)
    return found
