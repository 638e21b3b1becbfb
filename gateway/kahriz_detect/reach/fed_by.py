# SPDX-License-Identifier: MIT
"""The pool above the first weir: what it lost says whether that weir reads too high.

    e(b) = inflows - outflows - dV/dt          reads high = normal e - mean e(now)

The flow below a pool is switched on and off and no two turns are alike: what ran before says
nothing of the weir. A leaf in its notch lets it read water that never left the pool.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.numbers.blocks import Blocks
from kahriz_detect.numbers.normal import Normal
from kahriz_detect.site import Pool
from kahriz_water.pool import volume_m3

SPILL_AIR_M = 0.03  # so near to its spill a pool may spill
LEVEL_M = 0.002  # no level is surer
LEAST_DAYS = 0.5  # of running water, until its normal is known
FEWEST = 2  # blocks: one level lies too near to the next
CORRELATED = 1.5  # half hours are not independent


class FedBy:
    """Second opinion on the first weir of a conveyance.

    Examples
    --------
    >>> fed = FedBy(Pool("p", "level", ("in",), ("out",), ((0.0, 0.0), (3.0, 900.0))), "out", 48)
    >>> blocks = {k: Blocks(48, 1) for k in fed.keys}
    >>> for n in range(40):
    ...     read = {"in": 5.0, "out": 20.0 if n < 36 else 25.0, "level": 2.8 - n * 0.03 * 3 / 3.33}
    ...     for key, value in read.items():
    ...         blocks[key].add(n, value)
    ...     fed.learn(blocks, n, n < 36)
    >>> [round(x, 1) for x in fed.reads_high(blocks, 37, 39)]
    [5.0, 0.3]
    """

    def __init__(self, pool: Pool, weir: str, a_day: int) -> None:
        self.pool, self.weir = pool, weir
        self.block_s = 86_400.0 / a_day
        self.keys = (pool.level, *pool.inflows, *pool.outflows)
        self.normal = Normal(10.0, a_day)

    def learn(self, blocks: dict[str, Blocks], block: int, calm: bool) -> None:
        """One block in which the first weir runs, while its reach has nothing to tell."""
        e = self._e(blocks, block) if calm else None
        if e is not None and (blocks[self.weir].at(block) or 0.0) > 0.0:
            self.normal.learn(e, block)

    def reads_high(
        self, blocks: dict[str, Blocks], first: int, last: int
    ) -> tuple[float, float] | None:
        """By how many L/s in those blocks, and its standard uncertainty; None: nobody knows."""
        found = [e for b in range(first, last + 1) if (e := self._e(blocks, b)) is not None]
        if len(found) < FEWEST or self.normal.days < LEAST_DAYS:
            return None
        n = len(found)
        u = max(1.25 * self.normal.scatter, self._level_lps) * math.sqrt(CORRELATED / n)
        return self.normal.mean - sum(found) / n, u

    @property
    def _level_lps(self) -> float:
        """What the least step of the level is worth."""
        table = self.pool.level_volume
        area_m2 = (table[-1][1] - table[0][1]) / (table[-1][0] - table[0][0])
        return LEVEL_M * area_m2 * 1000.0 / self.block_s

    def _e(self, blocks: dict[str, Blocks], block: int) -> float | None:
        pool, spill, volumes = self.pool, self.pool.spill_m, []
        for b in (block - 1, block):
            level = blocks[pool.level].at(b)
            if level is None or (spill is not None and level > spill - SPILL_AIR_M):
                return None
            volumes.append(volume_m3(level, pool.level_volume))
        if volumes[0] is None or volumes[1] is None:
            return None
        e = -1000.0 * (volumes[1] - volumes[0]) / self.block_s
        for keys, sign in ((pool.inflows, 0.5), (pool.outflows, -0.5)):
            for key in keys:
                for b in (block - 1, block):  # levels stand in the middle of their blocks
                    flow = blocks[key].at(b)
                    if flow is None:
                        return None
                    e += sign * flow
        return e

    def dump(self) -> Any:
        return self.normal.dump()

    def load(self, state: Any) -> None:
        self.normal.load(state)
