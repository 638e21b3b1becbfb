# SPDX-License-Identifier: MIT
"""What people do with their water, noted and never alarmed: turns and filling.

    turn: an outflow of the pool leaves its rest        filling: all rest and the level rises

A notice says what a crew would otherwise ask: where the water of tonight went, and how much it was.
Beside the flow of a turn stands that of the usual one: what a larger one may explain, `explained`
knows.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median
from kahriz_detect.pools.rests import Rests
from kahriz_detect.site import Pool, Site

RUNS = 0.15  # of its highest: an outflow above that is a turn
HELD_MS = 1_800_000  # so long a state must last
RISES_M = 0.05  # by which a pool that fills rises before it is said
TURNS, FEWEST_TURNS = 10, 3  # that say what a usual one is
DAYS_KNOWN = 2  # before that nobody knows what rest is


class Planned(Detector):
    """Turns and filling of one pool, or the turns of an offtake.

    Parameters
    ----------
    pool : with at least one outflow; an offtake is one without a level.
    points : names of the keys in findings, where they differ.

    Examples
    --------
    >>> planned = Planned(Pool("pool", "level", (), ("fields",)))
    >>> found = []
    >>> for i in range(5 * 144):
    ...     lps = 20.0 if 40 <= i % 144 < 60 else 0.0
    ...     found += planned.step(Frame(i, i * 600_000, {"fields": lps, "level": 1.0}))
    >>> [(f.what, f.kind, f.place, f.m3) for f in found[:2]]
    [('raised', 'use:turn', 'fields', None), ('cleared', 'use:turn', 'fields', 240.0)]

    References
    ----------
    Notes on kahrizes: a pool releases a larger flow for a shorter time, so flow below is pulsed.
    """

    kinds = ("use:turn", "use:filling")

    def __init__(self, pool: Pool, points: dict[str, str] | None = None) -> None:
        if not pool.outflows:
            raise ValueError("a pool with at least one measured outflow")
        self.pool = pool
        self.names = {k: (points or {}).get(k, k) for k in (pool.level, *pool.outflows)}
        self.rests = Rests(pool.outflows)
        self.ts: int | None = None
        self.turns: dict[str, list[float]] = {}  # since, told, m3, since when it rests
        self.past: dict[str, list[float]] = {}  # L/s of the last turns
        self.fill: list[float] | None = None  # since, level then, told

    @property
    def name(self) -> str:
        return f"planned:{self.pool.level or self.pool.place}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a gap neither begins nor ends anything."""
        last, self.ts = self.ts, frame.ts
        self.rests.step(frame)
        found: list[Finding] = []
        running = False
        for key in self.pool.outflows:
            value = frame.get(key)
            if value is None:
                running = True
                continue
            if self.rests.zero(key) is None or len(self.rests.lows[key]) < DAYS_KNOWN:
                continue
            runs = value > RUNS * self.rests.tops[key]
            running = running or runs
            found += self._turn(key, value, runs, frame.ts, last)
        return found + self._filling(frame, running)

    def _turn(self, key: str, lps: float, runs: bool, ts: int, last: int | None) -> list[Finding]:
        turn = self.turns.get(key)
        if turn is None:
            if runs:
                self.turns[key] = [float(ts), 0.0, _m3(lps, ts, last), 0.0]
            return []
        turn[2] += _m3(lps, ts, last)
        if runs:
            turn[3] = 0.0
            if turn[1] or ts - turn[0] < HELD_MS:
                return []
            turn[1] = 1.0
            evidence: dict[str, float | str] = {"since_ms": turn[0], "flow_lps": round(lps, 2)}
            past = self.past.get(key, [])
            if len(past) >= FEWEST_TURNS:
                evidence["usual_lps"] = round(median(past), 2)
            return [Finding(RAISED, "use:turn", self.names[key], ts, lps, evidence=evidence)]
        turn[3] = turn[3] or float(ts)
        if ts - turn[3] < HELD_MS and turn[1]:
            return []
        del self.turns[key]
        if not turn[1]:
            return []
        hours = (turn[3] - turn[0]) / 3.6e6
        over: dict[str, float | str] = {"hours": round(hours, 2), "since_ms": turn[0]}
        m3 = round(turn[2], 1)
        lps_then = 1e6 * turn[2] / max(1.0, turn[3] - turn[0])
        self.past[key] = [*self.past.get(key, [])[-TURNS + 1 :], lps_then]
        return [Finding(CLEARED, "use:turn", self.names[key], ts, None, None, m3, over)]

    def _filling(self, frame: Frame, running: bool) -> list[Finding]:
        level = frame.get(self.pool.level)
        if level is None:
            return []
        place = self.names[self.pool.level]
        if running:
            fill, self.fill = self.fill, None
            if fill is None or not fill[2]:
                return []
            over: dict[str, float | str] = {"rose_m": round(level - fill[1], 3)}
            return [Finding(CLEARED, "use:filling", place, frame.ts, evidence=over)]
        if self.fill is None or (level < self.fill[1] and not self.fill[2]):
            self.fill = [float(frame.ts), level, 0.0]
        elif not self.fill[2] and level > self.fill[1] + RISES_M:
            self.fill[2] = 1.0
            evidence: dict[str, float | str] = {"since_ms": self.fill[0], "level_m": level}
            return [Finding(RAISED, "use:filling", place, frame.ts, evidence=evidence)]
        return []

    def dump(self) -> Any:
        return [self.rests.dump(), self.ts, self.turns, self.fill, self.past]

    def load(self, state: Any) -> None:
        rests, self.ts, turns, fill, *more = state
        self.rests.load(rests)
        self.turns = {str(k): list(v) for k, v in turns.items()}
        self.fill = None if fill is None else list(fill)
        self.past = {str(k): list(v) for k, v in more[0].items()} if more else {}


def _m3(lps: float, ts: int, last: int | None) -> float:
    """What ran since the last frame; a gap counts as half an hour at most."""
    return 0.0 if last is None else lps * min(ts - last, HELD_MS) / 1e6


def plans(site: Site) -> list[Detector]:
    """One for each pool with a measured outflow, and for each offtake with a meter."""
    points = {s.key: s.point for s in site.signals}
    gates = [
        Pool(o.place, "", (), (o.signal,)) for o in site.offtakes if o.signal and o.signal in points
    ]
    watched = (*(pool for pool in site.pools if pool.outflows), *gates)
    return [Planned(pool, points) for pool in watched]
