# SPDX-License-Identifier: MIT
"""Water balance of a conveyance, reach by reach: leak, tapping, fouled weir, or a doubt.

    e(t) = Q_up(t - travel) - Q_dn(t) - offtakes - normal loss

What is lost now beyond what was always lost. A leak lowers all weirs below it; a leaf in a notch
lifts one weir and changes nothing below: the commonest false leak, 10 mm of it read 2.1 L/s at
12 L/s. A meter inside the chain that errs shows in two reaches with opposite signs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.blocks import Blocks, steps_of
from kahriz_detect.numbers.rating import Rating
from kahriz_detect.reach.fed_by import FedBy
from kahriz_detect.reach.loss import Loss
from kahriz_detect.reach.travel import Travel
from kahriz_detect.reach.verdict import Verdict
from kahriz_detect.site import Pool, Reach

KEEP = 48  # blocks: a day
LONGEST_S = 6 * 3600.0  # under way in one reach
LONGEST_S_PER_M = 5.0  # 0.2 m/s
FADES = 0.9995  # the most that an offtake takes, a block: within a month it is half


class Balance(Detector):
    """Mass balance of reaches that hang together, half hour by half hour.

    Thresholds are multiples of the scatter seen here, set on simulated and recorded balances:
    textbook run lengths do not hold for meters that wander.

    Parameters
    ----------
    reaches : from the source down.
    step_s : length of a frame.
    chamber : level above the first outlet, a second opinion on its meter.
    offtakes : measured signals that leave a reach, by its place.
    learn_days : before that nothing is said.
    memory_days : how long the normal loss remembers; it is frozen while suspicious.
    pool : that feeds the first weir, with a table and all meters: a second opinion on that one.

    Examples
    --------
    >>> reach = Balance([Reach("upper", "outlet", "middle", travel_s=0)], 600, learn_days=1)
    >>> found = []
    >>> for i in range(2 * 144):
    ...     leak = 2.0 if i >= 201 else 0.0
    ...     values = {"outlet": 12 + i % 3 * 0.1, "middle": 11.5 - leak}
    ...     found += reach.step(Frame(i, i * 600_000, values))
    >>> [(f.kind, f.place, f.ts // 600_000, round(f.lps)) for f in found if f.what == "raised"]
    [('leak', 'upper', 207, 2)]

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41.
    """

    kinds = ("leak", "tapping", "fouled_weir", "sensor_fault:offset", "balance_doubt")

    def __init__(
        self,
        reaches: Sequence[Reach],
        step_s: float = 600.0,
        chamber: str | None = None,
        offtakes: dict[str, list[str]] | None = None,
        learn_days: float = 3.0,
        memory_days: float = 10.0,
        pool: Pool | None = None,
    ) -> None:
        if not reaches or learn_days <= 0 or memory_days <= 0 or step_s <= 0:
            raise ValueError("reaches, step_s, learn_days and memory_days must be positive")
        self.reaches = tuple(reaches)
        self.learn_days = learn_days
        self.steps = steps_of(step_s)
        self.block_ms = round(self.steps * step_s * 1000)
        a_day = max(1, 86_400_000 // self.block_ms)
        self.chamber = chamber
        self.offtakes = offtakes or {}
        flows = [f for r in reaches for f in (r.up, r.down)]
        flows += [f for r in reaches for f in self.offtakes.get(r.place, [])]
        self.blocks = {f: Blocks(KEEP, self.steps) for f in dict.fromkeys(flows)}
        if chamber is not None:
            self.blocks[chamber] = Blocks(KEEP, self.steps)
        self.fed = None if pool is None else FedBy(pool, reaches[0].up, a_day)
        for key in () if self.fed is None else self.fed.keys:
            self.blocks.setdefault(key, Blocks(KEEP, self.steps))
        self.tops = {f: 0.0 for many in self.offtakes.values() for f in many}
        self.travel = {r.place: _travel(r, step_s) for r in reaches}
        self._ways = [(r.up, r.down, t) for r in reaches if (t := self.travel[r.place]).longest]
        self.losses = {r.place: Loss(r.place, memory_days, a_day) for r in reaches}
        self.rating = Rating(a_day) if chamber is not None else None
        self.verdict = Verdict(self)
        self.block: int | None = None
        self._align()

    @property
    def name(self) -> str:
        return f"balance:{self.reaches[0].place}"

    def _align(self) -> None:
        """Steps by which each signal is held back to meet its own water at the last one."""
        at = {self.reaches[0].up: 0}
        for r in self.reaches:
            at[r.down] = at.setdefault(r.up, 0) + self.travel[r.place].lag
            for f in self.offtakes.get(r.place, []):
                at[f] = at[r.down]
        if self.chamber is not None:
            at[self.chamber] = at[self.reaches[0].up]
        for key in () if self.fed is None else self.fed.keys:
            at.setdefault(key, at[self.reaches[0].up])
        last = max(at.values())
        self._feeds = [(f, self.blocks[f], last - steps) for f, steps in at.items()]

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a gap stays a gap, "less than" below counts as that much."""
        number, values, bounds = frame.number, frame.values, frame.bounds
        for key, blocks, delay in self._feeds:
            value = values.get(key)
            if value is not None and (not bounds or bounds.get(key, "lt") == "lt"):
                blocks.add(number + delay, value)
        found: list[Finding] = []
        block = (number + 1) // self.steps
        if self.block is None or block - self.block > KEEP:
            self.block = block
        while self.block < block:
            found += self._close(self.block)
            self.block += 1
        get = frame.get
        for up, down, travel in self._ways:
            if travel.step(number, get(up), get(down)):
                self._align()
        return found

    def _close(self, block: int) -> list[Finding]:
        found: list[Finding] = []
        measured: list[tuple[Reach, Loss, float]] = []
        for r in self.reaches:
            loss = self.losses[r.place]
            up, down = self.blocks[r.up].at(block), self.blocks[r.down].at(block)
            loss.e_lps = None
            if up is None or down is None or up <= 0:
                continue
            unknown = 0.0  # what an offtake may take whose meter is silent
            for f in self.offtakes.get(r.place, []):
                taken = self.blocks[f].at(block)
                self.tops[f] = max(FADES * self.tops[f], taken or 0.0)
                down, unknown = down + (taken or 0.0), unknown + (taken is None) * self.tops[f]
            flows = [up, *self.blocks[r.up].some(block - self.unsure(r), block - 1)]
            if loss.measure(block, up, down, min(flows), max(flows), unknown):
                measured.append((r, loss, up))
        if self.rating is not None and self.chamber is not None:
            self._rate(block)
        if self.fed is not None:
            self.fed.learn(self.blocks, block, self.losses[self.reaches[0].place].calm)
        for r, loss, up in measured:
            rang = loss.judge(block, up, self.learn_days)
            found += self.verdict.follow(r, loss, block, up)
            if rang is not None:
                found += self.verdict.decide(r, loss, block, rang)
        return found

    def _rate(self, block: int) -> None:
        assert self.rating is not None
        assert self.chamber is not None
        flow, level = self.blocks[self.reaches[0].up].at(block), self.blocks[self.chamber].at(block)
        if flow is None or level is None:
            return
        off = self.rating.off(flow, level)
        if off is not None and (
            self.rating.opening.count < 48 or abs(off) < 3.0 * self.rating.scatter(level)
        ):
            self.rating.learn(block, flow, level)

    def unsure(self, reach: Reach) -> int:
        """Blocks by which the guess of the travel time may be wrong."""
        if reach.travel_s == 0.0 or self.travel[reach.place].learned:
            return 1
        longest_s = min(LONGEST_S, (reach.length_m or 1500.0) * LONGEST_S_PER_M)
        return min(KEEP, 1 + math.ceil(longest_s * 1000 / self.block_ms))

    def dismiss(self, kind: str, place: str) -> None:
        for loss in self.losses.values():
            self.verdict.dismiss(loss, kind, place, self.learn_days)

    def dump(self) -> Any:
        """All that is known, as JSON."""
        return {
            "blocks": {k: b.dump() for k, b in self.blocks.items()},
            "travel": {k: t.dump() for k, t in self.travel.items()},
            "losses": {k: x.dump() for k, x in self.losses.items()},
            "rating": self.rating.dump() if self.rating else None,
            "fed": self.fed.dump() if self.fed else None,
            "verdict": self.verdict.dump(),
            "block": self.block,
            "tops": self.tops,
        }

    def load(self, state: Any) -> None:
        for name in ("blocks", "travel", "losses"):
            for key, part in getattr(self, name).items():
                if key in state[name]:  # else of a version that did not look at it
                    part.load(state[name][key])
        if self.rating is not None:
            self.rating.load(state["rating"])
        if self.fed is not None and state.get("fed") is not None:
            self.fed.load(state["fed"])
        self.verdict.load(state["verdict"])
        self.block = state["block"]
        self.tops |= state.get("tops", {})
        self._align()


def _travel(reach: Reach, step_s: float) -> Travel:
    """A full pipe passes a change on at once; of a channel only the order is known."""
    guess = round((reach.travel_s or 0.0) / step_s)
    longest_s = min(LONGEST_S, (reach.length_m or 1500.0) * LONGEST_S_PER_M)
    return Travel(guess, 0 if reach.travel_s == 0.0 else max(guess, round(longest_s / step_s)))


def chains(reaches: Sequence[Reach]) -> list[list[Reach]]:
    """Reaches that share water, each after the one that feeds it.

    >>> [[r.place for r in c] for c in chains([Reach("b", "2", "3"), Reach("a", "1", "2")])]
    [['a', 'b']]
    """
    downs = {r.down for r in reaches}
    found = []
    for first in (r for r in reaches if r.up not in downs):
        chain = [first]
        for r in chain:  # grows while it is walked
            chain += [n for n in reaches if n.up == r.down and n not in chain]
        found.append(chain)
    return found
