# SPDX-License-Identifier: MIT
"""What people said they close: a place and a time, in which its water says nothing of the usual.

A closure, a maintenance, a turn through a gate without a meter: from `from_ms` to `to_ms`, and
until the water has settled after it, the signals of the place are a gap to whoever learns and
judges. A gap neither raises nor clears, and what outlives it is compared with what was before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kahriz_detect.site import Site

SETTLES_MS = 2 * 3_600_000  # a channel fills again
REBOUNDS_MS = 24 * 3_600_000  # people fill what they have: as long as it was shut, at most a day
LONGEST_MS = 14 * 86_400_000  # nobody may close a place for longer
NOTHING: frozenset[str] = frozenset()


class Closure(NamedTuple):
    """`place` is a point, a reach, a pool, an offtake, or the site."""

    place: str
    from_ms: int
    to_ms: int


class Closures:
    """Those of one site, and what they hide when.

    Examples
    --------
    >>> from kahriz_detect.site import Reach, Signal
    >>> signals = tuple(Signal(k, k, "flow_lps") for k in "abc")
    >>> shut = Closures(Site("x", signals, (Reach("upper", "a", "b"), Reach("lower", "b", "c"))))
    >>> shut.tell([Closure("upper", 0, 3_600_000)])
    >>> sorted(shut.at(3_600_000)), sorted(shut.at(4 * 3_600_000))
    (['a', 'b'], [])
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._taps = frozenset(k for z in site.zones if z.taps for k in (*z.inflows, *z.outflows))
        self._told: list[tuple[int, int, frozenset[str]]] = []

    def tell(self, closures: Iterable[Closure]) -> None:
        """All that are known now, in place of those before."""
        told = []
        for place, from_ms, to_ms in closures:
            keys = keys_of(self._site, place)
            if keys and from_ms < to_ms:
                to_ms = min(to_ms, from_ms + LONGEST_MS)
                rebounds = max(SETTLES_MS, min(REBOUNDS_MS, to_ms - from_ms))
                told.append((from_ms, to_ms + SETTLES_MS, keys))
                told.append((from_ms, to_ms + rebounds, keys & self._taps))
        self._told = told

    def at(self, ts: int) -> frozenset[str]:
        """The keys of the signals that are shut, or not yet settled."""
        if not self._told:  # nearly always
            return NOTHING
        here = [keys for from_ms, to_ms, keys in self._told if from_ms < ts <= to_ms]
        return NOTHING.union(*here)


def keys_of(site: Site, place: str) -> frozenset[str]:
    """The signals of which a closure of that place takes the sense."""
    if place == site.id:
        return frozenset(s.key for s in site.signals)
    keys = {s.key for s in site.signals if s.point == place}
    for reach in site.reaches:
        if reach.place == place:
            keys |= {reach.up, reach.down}
    keys |= {s.outlet for s in site.sources if place in s.above}
    for offtake in site.offtakes:
        if offtake.place == place:  # what stands above it is as ever
            keys |= {r.down for r in site.reaches if r.place == offtake.reach}
    for pool in site.pools:
        if place == pool.place or pool.level in keys:
            keys |= {pool.level, *pool.inflows, *pool.outflows}
    return frozenset(keys & {s.key for s in site.signals})
