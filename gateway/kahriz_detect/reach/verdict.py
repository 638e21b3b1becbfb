# SPDX-License-Identifier: MIT
"""A balance is off: which weir moved, and what that is called.

1. The reach above gained what this one lost: the weir between them reads too high (fouled).
2. The reach below gained it: the weir between them reads too low, nothing can be said.
3. The first weir: the chamber above it, or what it was before, says whether it rose.
4. Else the water is gone: a leak, until it stops by itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kahriz_detect.finding import Finding
from kahriz_detect.reach.first_weir import (
    BEFORE,
    CLEAR,
    CORRELATED,
    HALF_HEARD,
    SUDDEN,
    SURE,
    FirstWeir,
)
from kahriz_detect.reach.loss import RELEARN_DAYS, SETTLES_BLOCKS, Loss
from kahriz_detect.reach.ring import Ring
from kahriz_detect.site import Reach

if TYPE_CHECKING:
    from kahriz_detect.reach.balance import Balance

AT_MOST = 12  # blocks: what is now
SURE_BELOW = 0.4  # the reach below hears of it a block later
DOUBTS = 1.5  # times its scatter what the reach below gained makes a loss doubtful
LEAST = 3.0  # standard uncertainties of the balance; below two a size may not even be told
YOUNG_DAYS, LONG_REFUSED = 14.0, 96  # of learning; blocks
SETTLED_SHARE = 0.45  # a size that still grows by more in half an hour is not told yet
LEARNED = 2.0  # times its told size a leaf may have been learned before it was told
DOUBT_BLOCKS = 8  # undecided for four hours: then it is said to be undecided


class Verdict:
    """Names what rang in one reach of a balance."""

    def __init__(self, balance: Balance) -> None:
        self.balance = balance
        self.first = FirstWeir(balance)
        self.undecided = {r.place: 0 for r in balance.reaches}

    def decide(self, reach: Reach, loss: Loss, block: int, side: str) -> list[Finding]:
        """A sum rings: a finding, or nothing yet."""
        since = loss.since(side)
        since = block if since is None else max(since, block - 40)
        now = max(since, block - AT_MOST + 1)
        size, n = loss.mean_recent(now, block)
        open_share = loss.follow_share if loss.first.kind else 0.0
        size -= open_share * loss.flow.mean
        u = math.hypot(loss.scatter_lps * math.sqrt(CORRELATED / max(1, n)), loss.wander_lps())
        ring = Ring(reach, loss, block, since, now, size, u)
        ring.evidence |= {
            "since_ms": float(since * self.balance.block_ms),
            "loss_lps": round(size, 3),
            "balance_u_lps": round(2.0 * u, 3),
            "scatter_lps": round(loss.scatter_lps, 3),
        }
        if abs(size) < LEAST * u:  # nothing is said of what the balance cannot know
            loss.refused += 1
            if loss.refused > LONG_REFUSED and loss.base.days < YOUNG_DAYS:
                loss.refused = 0
                loss.reset()  # a normal that is young learns what does not grow
            return []
        total = size + open_share * loss.flow.mean
        if open_share < 0.0 < size and total < max(2.0 * u, 0.5 * size):
            return []  # what was doubted is over: nothing more is lost than ever
        if side == "gained" or size <= 0:
            return self._gained(ring)
        if side == "lost" and block - since <= 3 and len(loss.recent) > 1:
            grows = loss.recent[-1][1] - loss.recent[-2][1]
            if grows > max(2.0 * loss.scatter_lps, SETTLED_SHARE * loss.recent[-1][1]):
                return []  # it has only begun: its size is told when it is known
            ring.size = max(size, loss.recent[-1][1] - total + size)
        kind, place = self._who(ring)
        if kind is None:
            return []
        if loss.first.kind is not None and (kind != "leak" or loss.second.kind is not None):
            return []
        if loss.first.kind == "leak" and not self._leapt(ring):
            loss.follow_share += ring.size / (loss.flow.mean or 1.0)  # what is open has grown
            loss.reset()
            return []
        return self._begin(ring, kind, place)

    def _leapt(self, ring: Ring) -> bool:
        """Whether a second loss came at once: a joint that opens is one leak all the time."""
        loss, since, size = ring.loss, ring.since, ring.size
        before, n = loss.mean_recent(since - BEFORE, since - 1)
        after, m = loss.mean_recent(since + 1, since + 4)
        if n == 0 or m == 0:
            return False
        u = loss.scatter_lps * math.sqrt(CORRELATED * (1.0 / n + 1.0 / m))
        leap = after - before if size > 0 else before - after
        return leap > max(SUDDEN * abs(size), CLEAR * u)

    def _begin(self, ring: Ring, kind: str, place: str) -> list[Finding]:
        loss, since, size = ring.loss, ring.since, ring.size
        self.undecided[ring.reach.place] = 0
        if loss.first.kind is None:
            loss.follow_share = size / (loss.flow.mean or 1.0)
            episode, other = loss.first, loss.second
        else:
            episode, other = loss.second, loss.first
        episode.second = other.kind is not None and not other.second
        loss.reset()
        scatter_lps, evidence = loss.scatter_lps, ring.evidence
        return [episode.begin(kind, place, ring.block, since, size, scatter_lps, evidence)]

    def _gained(self, ring: Ring) -> list[Finding]:
        """Less is lost than ever: a weir below reads high or one above low, or it was mended."""
        reach = ring.reach
        if ring.loss.first.kind is not None:
            return []
        self.undecided[reach.place] += 1
        if self.undecided[reach.place] < DOUBT_BLOCKS:
            return []
        kind, place = "balance_doubt", reach.place
        if self._last_reads_high(ring):
            kind, place = "fouled_weir", reach.down
        elif self._first_reads_low(ring):
            kind, place = "sensor_fault:offset", reach.up
        return self._begin(ring, kind, place)

    def _first_reads_low(self, ring: Ring) -> bool:
        """It fell and the next weir did not: no water does that."""
        size = ring.size
        if any(r.down == ring.reach.up for r in self.balance.reaches):
            return False
        rise, fall = self.first.changes(ring)
        return -rise > max(SURE * -size, CLEAR * ring.u) and abs(fall) < SURE_BELOW * -size

    def _last_reads_high(self, ring: Ring) -> bool:
        """The weir above is right, for its own reach is quiet; what came at once was mended."""
        reach = ring.reach
        above = next((r for r in self.balance.reaches if r.down == reach.up), None)
        if above is None or any(r.up == reach.down for r in self.balance.reaches):
            return False
        gain, u = self._neighbour(above, ring)
        ring.evidence["above_lps"] = round(gain, 3)
        quiet = abs(gain) < max(SURE_BELOW * -ring.size, DOUBTS * u)
        return quiet and not self._leapt(ring)

    def _who(self, ring: Ring) -> tuple[str | None, str]:
        """Kind and place, or None as long as nobody knows."""
        balance, reach, size = self.balance, ring.reach, ring.size
        above = next((r for r in balance.reaches if r.down == reach.up), None)
        below = next((r for r in balance.reaches if r.up == reach.down), None)
        self.undecided[reach.place] += 1
        last = self.undecided[reach.place] >= DOUBT_BLOCKS
        if above is not None:
            gain, gu = self._neighbour(above, ring)
            ring.evidence["above_lps"] = round(gain, 3)
            if gain < -max(SURE * size, CLEAR * gu):
                return "fouled_weir", reach.up
            if gain < -SURE * size and not last:  # likely, and nobody is sure yet
                return None, ""
        if below is not None:
            gain, gu = self._neighbour(below, ring)
            ring.evidence["below_lps"] = round(gain, 3)
            if gain < -max(SURE_BELOW * size, DOUBTS * gu):
                return ("balance_doubt", reach.place) if last else (None, "")
            if gain < -max(HALF_HEARD * size, gu) and not last:
                return None, ""
            if not self._reached(below, ring):
                return None, ""
        if above is not None:
            return "leak", reach.place
        return self.first.who(ring, last)

    def _reached(self, below: Reach, ring: Ring) -> bool:
        """A leak takes from the next weir too, as soon as its water has come there."""
        if self.balance.losses[below.place].learns is not None:
            return True  # and it is not on its way
        blocks = self.balance.blocks[below.down]
        before = blocks.mean(ring.since - BEFORE, ring.since - 1)
        now = blocks.mean(ring.block, ring.block)
        return before is not None and now is not None and before[0] - now[0] > 0.5 * ring.size

    def _neighbour(self, reach: Reach, ring: Ring) -> tuple[float, float]:
        """What another reach lost in the same blocks beyond what is open there."""
        loss = self.balance.losses[reach.place]
        mean, n = loss.mean_recent(ring.now, ring.block, sure=True)
        if n == 0:  # all of it on its way: as much as no way explains
            mean, n = loss.mean_recent(ring.now, ring.block)
        if n == 0:
            return 0.0, 1.0
        if loss.first.kind != "balance_doubt":  # a doubt says no more than that it gained
            mean -= loss.follow_share * loss.flow.mean
        return mean, loss.scatter_lps * math.sqrt(CORRELATED / n)

    def follow(self, reach: Reach, loss: Loss, block: int, up: float) -> list[Finding]:
        """The findings that are open, one block on."""
        e = loss.e_lps
        if e is None or (loss.first.kind is None and loss.second.kind is None):
            if e is not None and not any(c.sum for c in loss.fast.values()):
                self.undecided[reach.place] = loss.refused = 0
            return []
        found: list[Finding] = []
        band = 2.0 * loss.scatter_lps
        if loss.second.kind is not None:
            rest = loss.rest_lps if loss.first.hot else e
            found += loss.second.follow(block, rest, band, loss.scatter_lps)
        if loss.first.kind is None:
            return found
        kind, weir, size = loss.first.kind, loss.first.place, abs(loss.first.lps)
        found += loss.first.follow(block, e, band, loss.scatter_lps)
        if loss.first.kind == "tapping" or kind == "tapping":
            loss.follow_share = max(0.0, min(e, 1.5 * loss.first.lps)) / up
        if loss.first.kind is None:
            self.undecided[reach.place] = 0
            loss.follow_share = 0.0
            if loss.second.kind is not None:  # it goes on alone
                loss.first, loss.second = loss.second, loss.first
                loss.follow_share = loss.first.lps / up
            loss.reset()
            if kind == "fouled_weir":
                self._cleaned(weir, size, block)
        elif self._lasts(loss, block):
            loss.base.shift(loss.follow_share)
            loss.follow_share, loss.first.kind = 0.0, None
            loss.reset()
            ts = (block + 1) * self.balance.block_ms
            why: dict[str, float | str] = {"explained_by": "lasts: it is learned as normal"}
            found.append(Finding("cleared", kind, loss.first.place, ts, evidence=why))
        return found

    def _cleaned(self, weir: str, size_lps: float, block: int) -> None:
        """A leaf that crept in was learned in part, by the reach above the weir and by the one
        below: what the one loses and the other gains now that it is gone is the old normal."""
        for reach in self.balance.reaches:
            side = 1.0 if reach.down == weir else -1.0 if reach.up == weir else 0.0
            loss = self.balance.losses[reach.place]
            if side and loss.first.kind is None and loss.flow.mean > 0:
                off = side * loss.mean_recent(block - AT_MOST + 1, block, sure=True)[0]
                off = min(max(0.0, off), LEARNED * size_lps)
                loss.base.shift(side * off / loss.flow.mean)
                loss.reset()

    def _lasts(self, loss: Loss, block: int) -> bool:
        days = (block - loss.first.since) * self.balance.block_ms / 86_400_000
        doubts = ("balance_doubt", "sensor_fault:offset")
        return loss.first.kind in doubts and days > RELEARN_DAYS

    def dismiss(self, loss: Loss, kind: str, place: str, learn_days: float) -> None:
        """A person closed it: the other goes on alone, or what is measured now is usual."""
        if loss.second.told == (kind, place):
            loss.follow_share += loss.second.lps / (loss.flow.mean or 1.0)
            loss.second.kind = None
            loss.reset()
        elif loss.first.told == (kind, place):
            runs = kind == "leak" and loss.first.hot and loss.first.blocks >= SETTLES_BLOCKS
            loss.settle(learn_days, loss.follow_share if runs else 0.0)
            loss.first.kind, loss.follow_share = None, 0.0
            self.undecided[loss.place] = 0
            if kind == "fouled_weir":  # the reach above the weir had learned it too
                for reach in self.balance.reaches:
                    above = self.balance.losses[reach.place]
                    if reach.down == place and above.first.kind is None:
                        above.settle(learn_days)

    def dump(self) -> Any:
        return dict(self.undecided)

    def load(self, state: Any) -> None:
        self.undecided = {place: int(state.get(place, 0)) for place in self.undecided}
