# SPDX-License-Identifier: MIT
"""What one reach loses beyond its normal loss, and how sure that is.

    e(b) = Q_up - Q_dn - offtakes - normal * Q_up        z = e / scatter

Two CUSUMs side by side: half hours find what is plain within hours, means of six hours find
what is small within days. The normal loss is learned as a share of the flow (meters err by a
share) and frozen while something is suspicious or open. A finding that is open is followed by a
second reference, so that a second loss on top of it is seen too.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.numbers.normal import Normal
from kahriz_detect.reach.episode import Episode

SLOW_BLOCKS = 12  # six hours
PLAIN = 4.0  # scatters
CUT = 5.0  # scatters that one block may count for
FLOOR_SHARE, FLOOR_LPS = 0.004, 0.02  # no balance of two weirs scatters less
SLOW_FLOOR = 0.004  # share of the flow by which meters wander within days
FOLLOW_BLOCKS = 24.0  # memory of the second reference
SETTLES_BLOCKS = 6  # the size of what has just begun is still being learned
YOUNG = 0.04  # share of the flow by which the normal of one day may be wrong; of n days, an nth
ALIKE_BLOCKS, MOST_ALIKE = 400.0, 0.5
LOW_SHARE = 0.3  # of the usual flow: below that the channel drains or fills, nothing is balanced
FAR = 0.02  # of the way from the flow at which the normal loss was learned: meters err by curves
NEW_BLOCKS, NEW_GAIN = 12, 0.25  # six hours: what a person waved off is usual
RELEARN_DAYS = 20.0  # a doubt that lasts is the new normal


class Loss:
    """State of the balance of one reach.

    Parameters
    ----------
    place : the reach.
    memory_days : how long the normal loss remembers.
    a_day : blocks a day.
    """

    def __init__(self, place: str, memory_days: float, a_day: int) -> None:
        block_ms = 86_400_000 // a_day
        self.place = place
        self.base = Normal(memory_days, a_day)
        self.flow = Normal(memory_days / 4.0, a_day)
        self.slow_scatter = 0.0
        self.slow_count = 0
        self.fast = {"lost": Cusum(1.2, 7.0, 2), "gained": Cusum(1.2, 8.0, 3)}
        self.slow = {"lost": Cusum(1.0, 5.0, 2), "gained": Cusum(1.0, 6.0, 2)}
        self.first = Episode(block_ms)
        self.second = Episode(block_ms)
        self.follow_share = 0.0  # beyond the normal: what is open, as a share of the flow
        self.refused = 0  # blocks in which too little was lost to say so
        self.settled = 0.0  # blocks since the flow was low
        self.news = 0  # blocks left of learning what is usual now
        self.known = False  # and how much of it a person waved off
        self.at = 0.0  # flow at which the normal loss was learned
        self.step_lps = 0.0  # usual difference of two blocks of the flow
        self.up: float | None = None
        self.six: list[float] = []
        self.e_lps: float | None = None  # of the newest block, beyond the normal
        self.rest_lps = 0.0  # and beyond what is open
        self.before: float | None = None  # what was learned last
        self.alike = 0.0  # correlation of one block with the next
        self.learns: float | None = None  # the same without excuses; None on its way
        self.scatter_lps = 0.0
        self.recent: list[tuple[int, float, bool]] = []  # block, its e, whether it is sure

    def measure(
        self, block: int, up: float, down: float, low: float, high: float, unknown: float = 0.0
    ) -> bool:
        """Work out e; False where nothing can be said. low..high is what `up` was lately, `unknown`
        what an offtake may have taken whose meter is silent."""
        usual = self.flow.mean or up
        if up < LOW_SHARE * usual:
            self.settled = 0.0
        self.settled += 1
        if self.settled <= 3:
            self.e_lps = None
            return False
        share = self.base.expected(block)
        normal = share * up
        away = abs(up - (self.at or up))
        # a share of the flow or the same L/s as ever, and two curves that are not quite right
        spread = (0.5 * abs(share) + FAR) * away
        self.scatter_lps = max(1.25 * self.base.scatter, FLOOR_SHARE) * 0.5 * (up + usual)
        self.scatter_lps = max(self.scatter_lps, FLOOR_LPS)
        e = up - down - normal
        if self.up is not None:
            step = abs(up - self.up)
            if self.step_lps:
                self.step_lps += (min(step, 3.0 * self.step_lps) - self.step_lps) / 100.0
            else:
                self.step_lps = max(step, FLOOR_SHARE * up)
        self.up = up
        self.learns = e
        if high - low > 6.0 * max(
            self.step_lps, FLOOR_SHARE * up
        ):  # on its way: as much as any of them explains
            less, more = low - down - normal, high - down - normal
            self.learns = None
            e = less if less > 0 else more if more < 0 else 0.0
        if unknown > FLOOR_LPS and e > 0.0:
            self.learns, e = None, max(0.0, e - unknown)
        e = e - spread if e > spread else e + spread if e < -spread else 0.0
        self.e_lps = e
        self.rest_lps = e - self.follow_share * up
        self.recent.append((block, e, self.learns is not None))
        if len(self.recent) > 48:
            del self.recent[0]
        return True

    def judge(self, block: int, up: float, learn_days: float) -> str | None:
        """Step the sums; "lost" or "gained" when one rings."""
        e, usual = self.e_lps, self.flow.mean or up
        assert e is not None
        if self.base.days < learn_days:
            self._learn(block, up)
            return None
        if self.news and self.known and e > PLAIN * self.scatter_lps:
            self.news, self.known = 0, False  # it has grown since
        if self.news and self.first.kind is None:
            self._anew(up)
            return None
        z = self.rest_lps / self.scatter_lps
        plain = max(0.0, abs(z) - PLAIN)  # so far out no error lasts
        z = math.copysign((abs(z) - plain) / self._lasting() + plain, z)
        z = CUT if z > CUT else -CUT if z < -CUT else z
        rang = None
        if self.fast["lost"].update(z, block):
            rang = "lost"
        if self.fast["gained"].update(-z, block):
            rang = "gained"
        self.six.append(self.rest_lps / usual)
        if len(self.six) >= SLOW_BLOCKS:
            mean, first = sum(self.six) / len(self.six), block - SLOW_BLOCKS + 1
            self.six = []
            unit = max(1.25 * self.slow_scatter, SLOW_FLOOR)
            if self.slow["lost"].update(min(CUT, mean / unit), first):
                rang = rang or "lost"
            if self.slow["gained"].update(min(CUT, -mean / unit), first):
                rang = rang or "gained"
            if not self._suspicious() and self.first.kind is None:
                self.slow_count += 1
                more = min(abs(mean), 3.0 * unit) - self.slow_scatter
                self.slow_scatter += more / min(self.slow_count, 60)
        if self.first.kind is not None:
            self._follow(block, up)
        elif not self._suspicious():
            self._learn(block, up)
        return rang

    def settle(self, learn_days: float, known: float = 0.0) -> None:
        """What is measured from now on is usual: it is learned as quickly as at first. `known` is
        the share that was followed long enough: a loss beyond that is no part of it."""
        self.news, self.known = NEW_BLOCKS, known > 0
        self.base.shift(known)
        self.base.count = min(self.base.count, round(learn_days * self.base.a_day))
        self.reset()

    def _anew(self, up: float) -> None:
        if self.learns is not None:
            gain = max(NEW_GAIN, 1.0 / (NEW_BLOCKS + 1 - self.news))
            self.base.shift(gain * self.learns / up)
            self.news -= 1

    @property
    def calm(self) -> bool:
        """Nothing is open and nothing is suspicious."""
        return self.first.kind is None and not self._suspicious()

    def since(self, side: str) -> int | None:
        found = [c.since for c in (self.fast[side], self.slow[side]) if c.since is not None]
        if self.fast[side].since is not None and self.fast[side].sum > self.fast[side].threshold:
            return self.fast[side].since
        return min(found) if found else None

    def _suspicious(self) -> bool:
        for sums in (self.fast, self.slow):
            for c in sums.values():
                if c.sum > 0.0 and c.suspicious:
                    return True
        return False

    def _lasting(self) -> float:
        """Errors that last from block to block say less than their number: AR(1)."""
        rho = min(max(self.alike, 0.0), MOST_ALIKE)
        return math.sqrt((1.0 + rho) / (1.0 - rho))

    def _learn(self, block: int, up: float) -> None:
        self.flow.learn(up, block)
        before, self.before = self.before, self.learns
        if self.learns is None:
            return
        if before is not None and self.base.count > ALIKE_BLOCKS / 4:
            both = self.learns * before / self.scatter_lps**2
            both = CUT if both > CUT else -CUT if both < -CUT else both
            self.alike += (both - self.alike) / min(self.base.count, ALIKE_BLOCKS)
        self.base.learn(self.base.expected(block) + self.learns / up, block)
        memory = self.base.memory_days * self.base.a_day
        self.at += (up - self.at) / min(self.base.count, memory)

    def _follow(self, block: int, up: float) -> None:
        """Let the second reference go after what is open, slowly and not after leaps."""
        self.flow.learn(up, block)
        if self.second.kind is not None or self.first.kind == "tapping":
            return
        if any(c.suspicious for c in self.fast.values()) and self.first.blocks > FOLLOW_BLOCKS:
            return
        if block - self.first.begun < SETTLES_BLOCKS:
            self.follow_share += 0.5 * self.rest_lps / up
            self.reset()
            return
        most = 3.0 * self.scatter_lps
        step = most if self.rest_lps > most else -most if self.rest_lps < -most else self.rest_lps
        self.follow_share += step / up / FOLLOW_BLOCKS

    def wander_lps(self) -> float:
        """How far the two meters drift apart within days, and what days of learning leave open."""
        young = YOUNG / max(1.0, self.base.days)
        return math.hypot(max(1.25 * self.slow_scatter, SLOW_FLOOR), young) * self.flow.mean

    def mean_recent(self, first: int, last: int, sure: bool = False) -> tuple[float, int]:
        """Mean of e over some blocks, and of how many; `sure` leaves out what was on its way."""
        found = [e for b, e, known in self.recent if first <= b <= last and known >= sure]
        return (sum(found) / len(found), len(found)) if found else (0.0, 0)

    def reset(self) -> None:
        for c in (*self.fast.values(), *self.slow.values()):
            c.reset()
        self.six = []

    def dump(self) -> Any:
        return {
            "base": self.base.dump(),
            "flow": self.flow.dump(),
            "slow_scatter": [self.slow_scatter, self.slow_count],
            "fast": {k: c.dump() for k, c in self.fast.items()},
            "slow": {k: c.dump() for k, c in self.slow.items()},
            "first": self.first.dump(),
            "second": self.second.dump(),
            "numbers": [self.follow_share, self.settled, self.e_lps, self.rest_lps, self.at],
            "up": [self.scatter_lps, self.step_lps, self.up],
            "alike": [self.alike, self.before, self.refused],
            "news": self.news,
            "known": self.known,
            "six": self.six,
            "recent": self.recent,
        }

    def load(self, state: Any) -> None:
        for part in ("base", "flow", "first", "second"):
            getattr(self, part).load(state[part])
        for k in ("lost", "gained"):
            self.fast[k].load(state["fast"][k])
            self.slow[k].load(state["slow"][k])
        self.slow_scatter, self.slow_count = state["slow_scatter"]
        numbers = state["numbers"]
        self.follow_share, self.settled, self.e_lps, self.rest_lps, self.at = numbers
        self.scatter_lps, self.step_lps, self.up = state["up"]
        self.alike, self.before, self.refused = state["alike"]
        self.news, self.known = state.get("news", 0), state.get("known", False)
        self.six = list(state["six"])
        self.recent = [(int(b), float(e), bool(known)) for b, e, known in state["recent"]]
