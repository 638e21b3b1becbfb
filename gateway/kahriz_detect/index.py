# SPDX-License-Identifier: MIT
"""The detectors: an index of what can be watched, one a file, in the order in which they run.

First validity, then the balance of a reach, then the source, then pools and use; the joint
decision comes last and is not in the index.
"""

from __future__ import annotations

from collections.abc import Callable

from kahriz_detect.detector import Detector
from kahriz_detect.pools.pool import pools
from kahriz_detect.reach.balance import Balance, chains
from kahriz_detect.reach.drift import drifts
from kahriz_detect.reach.leap import leaps
from kahriz_detect.signals.node_clock import clocks
from kahriz_detect.signals.silence import Expected, Silence
from kahriz_detect.signals.validity import validities
from kahriz_detect.site import Site
from kahriz_detect.source.decline import declines
from kahriz_detect.source.drop import SourceDrop
from kahriz_detect.source.storm import storms
from kahriz_detect.source.year import years
from kahriz_detect.use.planned import plans
from kahriz_detect.use.zone import uses


def _balances(site: Site) -> list[Detector]:
    """One for each conveyance that hangs together, from its source down."""
    chambers = {s.outlet: s.chamber for s in site.sources}
    offtakes: dict[str, list[str]] = {}
    for o in site.offtakes:
        if o.signal is not None and site.signal(o.signal) is not None:
            offtakes.setdefault(o.reach, []).append(o.signal)
    pools = {
        key: pool
        for pool in site.pools
        if pool.inflows and len(pool.level_volume) > 1
        for key in pool.outflows
    }
    found: list[Detector] = []
    for chain in chains(site.reaches):
        first = chain[0].up
        chamber, pool = chambers.get(first), pools.get(first)
        found.append(Balance(chain, site.step_s, chamber, offtakes, pool=pool))
    return found


def _sources(site: Site) -> list[Detector]:
    below = {r.up: r.place for r in site.reaches}
    return [
        SourceDrop(
            s.place,
            s.outlet,
            s.next,
            below.get(s.outlet, s.place),
            s.chamber,
            site.step_s,
            taken=s.taken,
        )
        for s in site.sources
        if s.next is not None or s.chamber is not None
    ]


def _silences(site: Site) -> list[Detector]:
    firsts = {s.node: s for s in reversed(site.signals)}
    expected = [Expected(n, s.point, s.interval_s * s.batch) for n, s in firsts.items()]
    return [Silence(site.id, expected)]


DETECTORS: dict[str, Callable[[Site], list[Detector]]] = {
    "validity": validities,
    "balance": _balances,
    "source": _sources,
    "decline": declines,
    "storm": storms,
    "year": years,
    "leap": leaps,
    "drift": drifts,
    "pool": pools,
    "planned": plans,
    "use": uses,
    "silence": _silences,
    "node_clock": clocks,
}


def detectors(site: Site) -> list[Detector]:
    """All detectors of a site, in the order in which they run."""
    return [detector for build in DETECTORS.values() for detector in build(site)]
