# SPDX-License-Identifier: MIT
"""The first weir of a conveyance: did it rise, or did the water below it fall?

Nothing above it is measured but perhaps the chamber, whose level goes as the square of the flow, or
the pool that feeds it. Without them the two weirs are compared with what they read before; where a
gate lets the water go and rest, with what they read while it went, and as surely as that returns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kahriz_detect.reach.loss import LOW_SHARE
from kahriz_detect.reach.ring import Ring

if TYPE_CHECKING:
    from kahriz_detect.reach.balance import Balance

BEFORE = 10  # blocks: what was just before it began
SURE = 0.6  # share of the change that one weir must explain to be the one that moved
CLEAR = 3.0  # times its own scatter a change must be to be held against a weir
CORRELATED = 1.5  # half hours are not independent: variance of a mean is larger by this
HALF_HEARD = 0.25  # of the size: so much may be either, and in an hour more is known
SUDDEN = 0.6  # share of a loss that came since it began, else it crept in before


class FirstWeir:
    """Leak or fouled weir in the first reach of a balance."""

    def __init__(self, balance: Balance) -> None:
        self.balance = balance

    def who(self, ring: Ring, last: bool) -> tuple[str | None, str]:
        """Kind and place, or None as long as nobody knows."""
        reach, size = ring.reach, ring.size
        off = self._chamber(ring.now, ring.block)
        if off is not None:
            flow = ring.loss.flow.mean
            read_high, off_u = -0.5 * off[0] * flow, 0.5 * off[1] * flow
            ring.evidence["outlet_reads_high_lps"] = round(read_high, 3)
            if read_high > max(0.5 * size, 2.0 * off_u):
                return "fouled_weir", reach.up
            if off_u < 0.25 * size or last:
                half = read_high > max(HALF_HEARD * size, off_u) and not last
                return (None, "") if half else ("leak", reach.place)
        told = self._pool(ring)
        if told is not None:
            return told
        rise, fall = self.changes(ring)
        u = ring.u
        if fall > max(SURE * (rise + fall), CLEAR * u):
            return "leak", reach.place
        if rise > max(SURE * (rise + fall), CLEAR * u):
            return "fouled_weir", reach.up
        return ("balance_doubt", reach.place) if last else (None, "")

    def _chamber(self, now: int, block: int) -> tuple[float, float] | None:
        """How far the chamber is off its flow, and how sure that is."""
        balance = self.balance
        if balance.rating is None or balance.chamber is None or balance.rating.opening.days < 2:
            return None
        offs, u = [], 0.0
        for b in range(now, block + 1):
            q = balance.blocks[balance.reaches[0].up].at(b)
            level = balance.blocks[balance.chamber].at(b)
            if q and level:
                off = balance.rating.off(q, level)
                if off is not None:
                    offs.append(off)
                    u = max(u, balance.rating.scatter(level))
        if not offs:
            return None
        return sum(offs) / len(offs), u * math.sqrt(CORRELATED / len(offs))

    def _pool(self, ring: Ring) -> tuple[str, str] | None:
        """What the pool above says; None where there is none, or it is not sure."""
        balance, size = self.balance, ring.size
        if balance.fed is None or ring.reach.up != balance.fed.weir:
            return None
        off = balance.fed.reads_high(balance.blocks, ring.now + 1, ring.block)
        if off is None:
            return None
        ring.evidence["weir_reads_high_lps"] = round(off[0], 3)
        if off[0] > max(0.5 * size, 2.0 * off[1]):
            return "fouled_weir", ring.reach.up
        return ("leak", ring.reach.place) if off[1] < 0.25 * size else None

    def changes(self, ring: Ring) -> tuple[float, float]:
        """Rise upstream and fall downstream, which are evidence."""
        rise, fall = self._moved(ring)
        ring.evidence["up_change_lps"] = round(rise, 3)
        ring.evidence["down_change_lps"] = round(-fall, 3)
        return rise, fall

    def _moved(self, ring: Ring) -> tuple[float, float]:
        """From just before it began; what crept in over days is measured from the learned level."""
        reach, loss = ring.reach, ring.loss
        up, down = self.balance.blocks[reach.up], self.balance.blocks[reach.down]
        pair = []
        usual = loss.flow.mean
        since = ring.since - (self.balance.unsure(reach) - 1)  # only then was nothing on its way
        if self._pulsed(ring, since):
            return self._while_it_ran(ring)
        for blocks, level in ((up, usual), (down, usual * (1.0 - loss.base.mean))):
            after, before = (
                blocks.mean(ring.now, ring.block),
                blocks.mean(since - BEFORE, since - 1),
            )
            if after is None:
                return 0.0, 0.0
            pair.append((after[0], before[0] if before else level, level))
        rise, fall = pair[0][0] - pair[0][1], pair[1][1] - pair[1][0]
        if abs(rise + fall) > SUDDEN * ring.size:
            return rise, fall
        return pair[0][0] - pair[0][2], pair[1][2] - pair[1][0]

    def _pulsed(self, ring: Ring, since: int) -> bool:
        """Whether the water rested lately, by a gate: what was before says nothing of a weir."""
        up, least = self.balance.blocks[ring.reach.up], LOW_SHARE * ring.loss.flow.mean
        before = [up.at(b) for b in range(since - BEFORE, ring.block)]
        return any(v is not None and v < least for v in before)

    def _while_it_ran(self, ring: Ring) -> tuple[float, float]:
        """From the flow that usually runs, as surely as one turn is like the other."""
        reach, loss = ring.reach, ring.loss
        up, down = self.balance.blocks[reach.up], self.balance.blocks[reach.down]
        ran = [
            (u, d)
            for b in range(ring.now, ring.block + 1)
            if (u := up.at(b)) is not None
            and (d := down.at(b)) is not None
            and u > LOW_SHARE * loss.flow.mean
        ][1:]  # of the first the channel still fills
        if not ran:
            return 0.0, 0.0
        usual, n = loss.flow.mean, len(ran)
        ring.u = math.hypot(ring.u, 1.25 * loss.flow.scatter)
        rise = sum(u for u, _ in ran) / n - usual
        return rise, usual * (1.0 - loss.base.mean) - sum(d for _, d in ran) / n
