# SPDX-License-Identifier: MIT
"""A site taken apart into what hangs together: each part has its own watermark and decision.

Reaches that meet must be judged at one moment, for an instrument that fails explains both of its
reaches; what no water joins must not wait for each other's nodes. Signals that belong to nothing
stay together as the last part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kahriz_detect.site import Site
from kahriz_detect.source.storm import mouth, traces_of


def split(site: Site) -> list[Site]:
    """The parts of a site, each a site of its own; `id` stays the site's.

    Examples
    --------
    >>> from kahriz_detect.site import Reach, Signal
    >>> signals = tuple(Signal(k, k, "flow_lps") for k in "abcdx")
    >>> here = Site("here", signals, (Reach("1", "a", "b"), Reach("2", "c", "d")))
    >>> [[s.key for s in part.signals] for part in split(here)]
    [['a', 'b'], ['c', 'd'], ['x']]
    """
    groups = _groups(site)
    parts = [_part(site, group) for group in groups]
    loose = {s.key for s in site.signals}.difference(*groups)
    if loose:
        parts.append(_part(site, loose))
    return parts


def _links(site: Site) -> Iterable[set[str]]:
    for reach in site.reaches:
        yield {reach.up, reach.down}
    measured = {r.place: r.up for r in site.reaches}
    for offtake in site.offtakes:
        if offtake.signal is not None and offtake.reach in measured:
            yield {offtake.signal, measured[offtake.reach]}
    for pool in site.pools:
        if pool.inflows or pool.outflows:
            yield {pool.level, *pool.inflows, *pool.outflows}
    for source in site.sources:
        own = (source.outlet, source.chamber, source.next, *source.taken)
        yield {k for k in own if k is not None}
    traces = {signal.key for signal in traces_of(site)}
    if traces and (flow := mouth(site)[1]) is not None:
        yield {flow, *traces}
    for zone in site.zones:
        stores = {key for p in zone.stores for key in (p.level, *p.inflows, *p.outflows)}
        yield {*zone.inflows, *zone.outflows, *stores}


def _groups(site: Site) -> list[set[str]]:
    known = {s.key for s in site.signals}
    groups: list[set[str]] = []
    for link in _links(site):
        joined = link & known
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined] if joined else apart
    order = [s.key for s in site.signals]
    return sorted(groups, key=lambda g: min(order.index(k) for k in g))


def _part(site: Site, keys: set[str]) -> Site:
    reaches = tuple(r for r in site.reaches if r.up in keys)
    places = {r.place for r in reaches}
    return replace(
        site,
        signals=tuple(s for s in site.signals if s.key in keys),
        reaches=reaches,
        pools=tuple(p for p in site.pools if p.level in keys),
        sources=tuple(s for s in site.sources if s.outlet in keys),
        zones=tuple(z for z in site.zones if keys.intersection(z.inflows)),
        offtakes=tuple(o for o in site.offtakes if o.reach in places),
    )
