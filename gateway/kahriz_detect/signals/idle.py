# SPDX-License-Identifier: MIT
"""A flow that reads zero: whether the water beside it says so too, or says that it must run.

    of a reach : the weir above, the weir below: at rest, or running
    of a pool  : x = what left it (or came) by level and the other meters, if this one reads zero
    an offtake : the flow below it, as a share of the flow above: near its best, or less

A gate may be shut for a whole winter and its meter repeats 0.000; a dead meter does the same.
Nobody can tell them apart by that one signal, and silence of the neighbours says nothing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kahriz_detect.frame import Frame
from kahriz_detect.site import FLOW, Pool, Reach, Signal, Site
from kahriz_water.pool import volume_m3

RESTS, RUNS = 0.05, 0.2  # of its highest: a neighbour rests below, and runs above
POOL_RESTS, POOL_RUNS = 0.25, 0.3  # of the usual flow: what a pool must have lost through it
LOOKS_S = 1800.0  # between two looks at what runs
NEAR_LPS = 0.02  # where nobody has ever run: that is zero
SPAN_S = 2 * 3600.0  # over which a pool is asked
SPILL_AIR_M = 0.03  # so near to its spill a pool may spill
RECENT_S, DOUBTED_S = 6 * 3600.0, 5400.0  # since it was agreed; in all that it was not
LONGEST_S, S_PER_M = 6 * 3600.0, 5.0  # under way in one reach: so long a weir may run alone
CUT_RESTS, CUT_RUNS = 0.25, 0.5  # of the usual offtake: by so much the flow below it is less
CUT, LEAST_CUT = 0.4, 0.04  # share of the flow, of an offtake that nobody saw run; of two weirs
FADES = 0.9998  # the best share, a frame: channels age and sources dwindle
FORGIVEN = 0.02  # of a frame in which it was not, for each in which it was


class Idle:
    """Zeros of the flows of a site, in the eyes of their neighbours.

    Examples
    --------
    >>> signals = [Signal(k, k, FLOW) for k in ("up", "down")]
    >>> idle = Idle(signals, [Reach("r", "up", "down")], [], 600)
    >>> for n in range(100):
    ...     idle.step(Frame(n, n * 600_000, {"up": 8.0 if n < 50 else 0.0, "down": 0.0}))
    ...     if n in (49, 55):
    ...         print(idle.agreed("down"))
    False
    False
    >>> idle.step(Frame(102, 61_200_000, {"up": 0.0, "down": 7.0}))
    >>> idle.step(Frame(105, 63_000_000, {"up": 0.0, "down": 0.0}))
    >>> idle.agreed("down")
    True
    """

    def __init__(
        self,
        signals: Iterable[Signal],
        reaches: Iterable[Reach],
        pools: Iterable[Pool],
        step_s: float,
        cuts: Mapping[str, tuple[str, str | None]] | None = None,
    ) -> None:
        self.step_s = step_s
        self.every = max(1, round(LOOKS_S / step_s))  # frames
        self.cuts = dict(cuts or {})  # offtake: the flow below it, and above where it is measured
        self.best = dict.fromkeys(self.cuts, 0.0)
        flows = [s.key for s in signals if s.quantity == FLOW]
        self.beside: dict[str, list[str]] = {k: [] for k in flows}
        self.way_s: dict[str, float] = {}
        for reach in reaches:
            for here, there in ((reach.up, reach.down), (reach.down, reach.up)):
                if here in self.beside and there in self.beside:
                    self.beside[here].append(there)
                    self.way_s[here] = max(self.way_s.get(here, 0.0), _way_s(reach))
        self.pools = [p for p in pools if len(p.level_volume) > 1]
        self.tops = dict.fromkeys(flows, 0.0)
        self.runs: dict[str, list[float]] = {}  # of zeros: frame in which it was agreed, doubts
        self.past: dict[str, list[list[float]]] = {p.level: [] for p in self.pools}
        self.number = 0

    def step(self, frame: Frame) -> None:
        """Take a frame in; looked at is one each half hour."""
        self.number = frame.number
        if frame.number % self.every:
            return
        raw, tops = frame.raw, self.tops
        zeros = []
        for key, top in tops.items():
            value = raw.get(key)
            if value is None:
                continue
            if value > top:
                tops[key] = value
            if value == 0.0:
                zeros.append(key)
            else:
                self.runs.pop(key, None)
        for pool in self.pools:
            self._fill(pool, frame)
        for key in self.cuts:
            share = self._share(key, frame)
            if share is not None:
                self.best[key] = max(share, FADES**self.every * self.best[key])
        for key in zeros:
            votes = self._votes(key, frame)
            run = self.runs.setdefault(key, [-1.0, 0.0])
            if votes and all(votes):
                run[0], run[1] = float(frame.number), max(0.0, run[1] - FORGIVEN * self.every)
            elif votes and not any(votes):
                run[1] += self.every

    def agreed(self, key: str) -> bool:
        """Whether its neighbours say that nothing runs there."""
        run = self.runs.get(key)
        if run is None or run[0] < 0:
            return False
        if run[1] * self.step_s > DOUBTED_S + self.way_s.get(key, 0.0):
            return False
        return (self.number - run[0]) * self.step_s <= RECENT_S

    def _votes(self, key: str, frame: Frame) -> list[bool]:
        votes = []
        for other in self.beside[key]:
            value, top = frame.get(other), self.tops[other]
            if value is None:
                continue
            if value <= max(RESTS * top, NEAR_LPS):
                votes.append(True)
            elif value > RUNS * top:
                votes.append(False)
        for pool in self.pools:
            if key in pool.inflows or key in pool.outflows:
                vote = self._of_pool(key, pool)
                votes += [] if vote is None else [vote]
        if key in self.cuts:
            vote = self._of_cut(key, frame)
            votes += [] if vote is None else [vote]
        return votes

    def _share(self, key: str, frame: Frame) -> float | None:
        """Of the flow above that is left below; the flow itself where nobody measures above."""
        below, above = self.cuts[key]
        left = frame.get(below)
        if above is None or left is None:
            return left
        came = frame.get(above)
        return left / came if came is not None and came > RUNS * self.tops[above] else None

    def _of_cut(self, key: str, frame: Frame) -> bool | None:
        share, best, (below, above) = self._share(key, frame), self.best[key], self.cuts[key]
        flow = self.tops[below if above is None else above]
        if share is None or best <= 0.0 or flow <= NEAR_LPS:
            return None
        usual, less = self.tops[key] / flow or CUT, 1.0 - share / best
        if less < max(CUT_RESTS * usual, LEAST_CUT):
            return True if CUT_RUNS * usual > LEAST_CUT else None
        return False if less > max(CUT_RUNS * usual, 2.0 * LEAST_CUT) else None

    def _fill(self, pool: Pool, frame: Frame) -> None:
        """Volume, net flow and whether it may spill; a gap begins anew."""
        past, level = self.past[pool.level], frame.get(pool.level)
        volume = None if level is None else volume_m3(level, pool.level_volume)
        net = 0.0
        for keys, sign in ((pool.inflows, 1.0), (pool.outflows, -1.0)):
            for key in keys:
                value = frame.raw.get(key)
                if value is None:
                    volume = None
                else:
                    net += sign * value
        if level is None or volume is None:
            past.clear()
            return
        spill = pool.spill_m
        spills = spill is not None and level > spill - SPILL_AIR_M
        past.append([float(frame.number), volume, net, float(spills)])
        del past[: -round(SPAN_S / self.step_s / self.every) - 1]

    def _of_pool(self, key: str, pool: Pool) -> bool | None:
        past = self.past[pool.level]
        first, last = past[0] if past else [0.0], past[-1] if past else [0.0]
        span_s = (last[0] - first[0]) * self.step_s
        if span_s < 0.9 * SPAN_S or len(past) * self.every * self.step_s < 0.8 * SPAN_S:
            return None
        flows = (*pool.inflows, *pool.outflows)
        usual = self.tops[key] or max(self.tops.get(k, 0.0) for k in flows)
        net = sum(p[2] for p in past[1:]) / (len(past) - 1)
        left = net - 1000.0 * (last[1] - first[1]) / span_s  # that no meter has seen
        inflow, spills = key in pool.inflows, any(p[3] for p in past)
        x = -left if inflow else left
        if usual <= NEAR_LPS:
            return None
        if x < POOL_RESTS * usual:
            return None if spills and inflow else True
        return False if x > POOL_RUNS * usual and (inflow or not spills) else None

    def dump(self) -> Any:
        return [self.tops, self.runs, self.past, self.number, self.best]

    def load(self, state: Any) -> None:
        tops, runs, past, self.number, best = state
        self.best = {k: float(best.get(k, 0.0)) for k in self.cuts}
        self.tops = {k: float(tops.get(k, 0.0)) for k in self.tops}
        self.runs = {str(k): list(v) for k, v in runs.items() if k in self.tops}
        self.past = {k: [list(p) for p in past.get(k, [])] for k in self.past}


def _way_s(reach: Reach) -> float:
    if reach.travel_s is not None:
        return min(LONGEST_S, 2.0 * reach.travel_s)
    return min(LONGEST_S, (reach.length_m or 1500.0) * S_PER_M)


def idle_of(site: Site) -> Idle:
    ways = {r.place: (r.down, r.up) for r in site.reaches}
    cuts: dict[str, tuple[str, str | None]] = {
        o.signal: ways[o.reach] for o in site.offtakes if o.signal is not None and o.reach in ways
    }
    cuts |= {key: (s.outlet, None) for s in site.sources for key in s.taken}
    flows = {s.key for s in site.signals if s.quantity == FLOW}
    cuts = {k: cut for k, cut in cuts.items() if flows.issuperset({k, *(c for c in cut if c)})}
    return Idle(site.signals, site.reaches, site.pools, site.step_s, cuts)
