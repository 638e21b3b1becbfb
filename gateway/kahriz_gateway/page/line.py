# SPDX-License-Identifier: MIT
"""The kahriz drawn from its mother well to the fields: live values, the leaking reach in red."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from kahriz_water.site import Plan, Point

WIDTH, HEIGHT = 340, 94
WATER_Y, HILL_Y = 52, 6
FIRST_X, LAST_X = 92, 315


@dataclass(frozen=True, slots=True)
class Station:
    """A point on the line: its number in the list below, its value, whether it is old."""

    point: Point
    text: str
    stale: bool


def chain(plan: Plan) -> list[Point]:
    """The points as the water meets them: along the reaches, then the rest in the plan's order."""
    below = {reach.from_: reach.to for reach in reversed(plan.reaches)}
    ends = {reach.to for reach in plan.reaches}
    here = next((r.from_ for r in plan.reaches if r.from_ not in ends), None)
    path: list[str] = []
    while here is not None:
        path.append(here)
        here = below.get(here)
    chambers = [p for p in plan.points if p.kind == "chamber" and p.id not in path]
    on_path = [p for ident in path if (p := plan.point(ident))]
    rest = [p for p in plan.points if p not in chambers and p not in on_path]
    return [*chambers, *on_path, *rest]


def drawing(plan: Plan, stations: list[Station], leaking: set[str], label: str) -> Markup:
    """The drawing of all stations, left to right as the water runs."""
    step = (LAST_X - FIRST_X) / max(1, len(stations) - 1)
    xs = {s.point.id: FIRST_X + i * step for i, s in enumerate(stations)}
    reaches = {(r.from_, r.to): r for r in plan.reaches}
    parts = [
        Markup('<svg class="line" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, label
        ),
        _gallery(FIRST_X),
    ]
    for left, right in pairwise(stations):
        reach = reaches.get((left.point.id, right.point.id))
        name = "link" if reach is None else "leaking" if reach.id in leaking else "reach"
        x0, x1 = xs[left.point.id], xs[right.point.id]
        parts.append(
            Markup('<path class="{}" d="M{:.0f} {}H{:.0f}"/>').format(name, x0, WATER_Y, x1)
        )
        if name == "leaking":
            parts.append(_drops((x0 + x1) / 2))
    for n, station in enumerate(stations, 1):
        parts.append(_station(n, station, xs[station.point.id]))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _gallery(mouth_x: float) -> Markup:
    """The hill, its shafts (the tallest is the mother well) and the gallery under them."""
    shafts = "".join(
        f"M{x} {HILL_Y + 2 + (x - 10) * 0.52:.0f}V{WATER_Y - 6 + (x - 10) * 0.07:.0f}"
        for x in (14, 33, 52, 71)
    )
    return Markup(
        '<path class="hill" d="M0 {y0}C26 {y0} 44 {y1} {m} {w}V{b}H0z"/>'
        '<path class="shafts" d="{s}"/><path class="gallery" d="M10 {g}L{m} {w}"/>'
    ).format(
        y0=HILL_Y, y1=HILL_Y + 14, m=mouth_x, w=WATER_Y, b=WATER_Y + 12, s=shafts, g=WATER_Y - 6
    )


def _station(n: int, station: Station, x: float) -> Markup:
    kind = station.point.kind
    if kind in ("pool", "tank"):
        shape = Markup('<rect class="station" x="{:.0f}" y="{}" width="24" height="22" rx="3"/>')
        body = shape.format(x - 12, WATER_Y - 11)
    else:
        body = Markup('<circle class="station" cx="{:.0f}" cy="{}" r="11"/>').format(x, WATER_Y)
    return Markup(
        '<g class="{c}">{body}<text class="no" x="{x:.0f}" y="{y}" text-anchor="middle">{n}</text>'
        '<text class="at" x="{x:.0f}" y="{ty}" text-anchor="middle">{t}</text></g>'
    ).format(
        c="old" if station.stale else "live",
        body=body,
        x=x,
        y=WATER_Y + 5,
        n=n,
        ty=WATER_Y + 32,
        t=station.text,
    )


def _drops(x: float) -> Markup:
    """Two drops under a leaking reach: a shape, for eyes that see no red."""
    drop = "M{0:.0f} {1}c-5 7 -4 11 0 11s5 -4 0 -11z"
    return Markup('<path class="drops" d="{}"/>').format(
        drop.format(x - 5, WATER_Y + 6) + drop.format(x + 6, WATER_Y + 10)
    )
