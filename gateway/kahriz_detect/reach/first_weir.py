# SPDX-License-Identifier: MIT
"""The first weir of a conveyance: did it rise, or did the water below it fall?

Nothing above it is measured but perhaps the chamber, whose level goes as the square of the flow.
Without one the two weirs are compared with what they read before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kahriz_detect.reach.ring import Ring

if TYPE_CHECKING:
    from kahriz_detect.reach.balance import Balance

BEFORE = 10  # blocks: what was just before it began
SURE = 0.6  # share of the change that one weir must explain to be the one that moved
CLEAR = 3.0  # times its own scatter a change must be to be held against a weir
CORRELATED = 1.5  # half hours are not independent: variance of a mean is larger by this
SUDDEN = 0.6  # share of a loss that came since it began, else it crept in before


class FirstWeir:
    """Leak or fouled weir in the first reach of a balance."""

    def __init__(self, balance: Balance) -> None:
        self.balance = balance

    def who(self, ring: Ring, last: bool) -> tuple[str | None, str]:
        """Kind and place, or None as long as nobody knows."""
        reach, size, u = ring.reach, ring.size, ring.u
        off = self._chamber(ring.now, ring.block)
        if off is not None:
            flow = ring.loss.flow.mean
            read_high, off_u = -0.5 * off[0] * flow, 0.5 * off[1] * flow
            ring.evidence["outlet_reads_high_lps"] = round(read_high, 3)
            if read_high > max(0.5 * size, 2.0 * off_u):
                return "fouled_weir", reach.up
            if off_u < 0.25 * size or last:
                return "leak", reach.place
        rise, fall = self.changes(ring)
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
