# SPDX-License-Identifier: MIT
"""The plan of a site (site.toml), read into what detectors are built from."""

from __future__ import annotations

from kahriz_detect.site import FLOW, LEVEL, Offtake, Pool, Reach, Signal, Site, Source, Zone
from kahriz_water.site import Plan, Point

TRAVEL_S_PER_M = 2.0  # 0.5 m/s in a lined channel of small slope
QUANTITIES = {
    "weir": FLOW,
    "flow": FLOW,
    "pool": LEVEL,
    "tank": LEVEL,
    "chamber": LEVEL,
    "level": LEVEL,
    "temperature": "temperature_c",
    "conductivity": "conductivity_us_cm",
    "pressure": "pressure_bar",
}
STORES = ("pool", "tank")


def site_of(plan: Plan) -> Site:
    """A reach into or out of a pool says what fills and empties it."""
    kinds = {p.id: p.kind for p in plan.points}
    flows = {ident for ident, kind in kinds.items() if QUANTITIES[kind] == FLOW}
    reaches = tuple(
        Reach(r.id, r.from_, r.to, r.length_m, r.length_m * TRAVEL_S_PER_M)
        for r in plan.reaches
        if r.from_ in flows and r.to in flows
    )
    offtakes = tuple(Offtake(o.id, o.reach, o.point) for o in plan.offtakes)
    return Site(
        id=plan.id,
        signals=tuple(_signal(p) for p in plan.points),
        reaches=reaches,
        pools=tuple(_pool(p, plan, flows) for p in plan.points if p.kind in STORES),
        sources=_sources(plan, reaches, kinds),
        zones=_zones(plan, kinds),
        offtakes=offtakes,
        holidays=plan.holidays,
    )


def _signal(point: Point) -> Signal:
    return Signal(
        key=point.id,
        point=point.id,
        quantity=QUANTITIES[point.kind],
        kind=point.kind,
        interval_s=float(point.dt_s),
        node=point.node,
        batch=point.batch,
        spill_m=point.spill_m,
    )


def _pool(point: Point, plan: Plan, flows: set[str]) -> Pool:
    inflows = tuple(r.from_ for r in plan.reaches if r.to == point.id and r.from_ in flows)
    outflows = tuple(r.to for r in plan.reaches if r.from_ == point.id and r.to in flows)
    return Pool(point.id, point.id, inflows, outflows, point.level_volume, point.spill_m)


def _sources(plan: Plan, reaches: tuple[Reach, ...], kinds: dict[str, str]) -> tuple[Source, ...]:
    fed = {r.down for r in reaches}
    chamber = next((p for p in plan.points if p.kind == "chamber"), None)
    return tuple(
        Source(
            r.up,
            r.up,
            chamber.id if chamber else None,
            chamber.spill_m if chamber else None,
            r.down,
            *_above(plan, r.up),
        )
        for r in reaches
        if r.up not in fed
    )


def _above(plan: Plan, outlet: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is taken on the way to the outlet where it is measured, and the places on that way."""
    ways = [r.id for r in plan.reaches if r.to == outlet]
    gates = [o for o in plan.offtakes if o.reach in ways]
    flows = {p.id for p in plan.points if QUANTITIES[p.kind] == FLOW}
    taken = tuple(o.point for o in gates if o.point is not None and o.point in flows)
    return taken, (*ways, *(o.id for o in gates))


def _zones(plan: Plan, kinds: dict[str, str]) -> tuple[Zone, ...]:
    """A pipe meter behind a tank measures what a tap network uses."""
    return tuple(
        Zone(r.to, r.to, (r.to,))
        for r in plan.reaches
        if kinds[r.from_] == "tank" and kinds[r.to] == "flow"
    )
