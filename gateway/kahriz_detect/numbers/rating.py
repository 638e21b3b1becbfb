# SPDX-License-Identifier: MIT
"""How deep the chamber above the outlet stands for its flow: an opening that is learned.

    r = ln(level) - 2 ln(flow) = -2 ln(opening)          level = (flow / opening)^2

Water leaves a chamber through an opening with a head that grows as the square of the flow
(Torricelli). Stones before the opening lift the chamber at the same flow; a meter that reads too
high lowers it; a leak below changes nothing.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.numbers.normal import Normal

FLOOR = 0.02  # no rating holds better than to two hundredths
UNSURE = 0.12  # the exponent may be between 1.8 and 2.2 (or the zero off by as much)
LEAST_M, LEAST_LPS = 0.02, 0.05
ZERO_M = 0.003  # a level sensor's own error


class Rating:
    """Deviation of the chamber from what it was at that flow.

    Examples
    --------
    >>> rating = Rating(a_day=48)
    >>> for block in range(100):
    ...     rating.learn(block, 12.0, 0.30)
    >>> round(rating.off(12.0, 0.45), 2), round(rating.off(6.0, 0.075), 2)
    (0.41, 0.0)

    References
    ----------
    Bos (1989), Discharge measurement structures, ILRI 20, chapter 5: orifices.
    """

    def __init__(self, a_day: int, memory_days: float = 10.0) -> None:
        self.opening = Normal(memory_days, a_day)
        self.flow = 0.0  # ln, at which it was learned

    def scatter(self, level_m: float) -> float:
        """A millimetre says less about a chamber that is nearly empty."""
        return math.hypot(max(1.25 * self.opening.scatter, FLOOR), ZERO_M / level_m)

    def off(self, flow_lps: float, level_m: float) -> float | None:
        """In ln of the level, beyond what another flow than usual may excuse."""
        if level_m < LEAST_M or flow_lps < LEAST_LPS:
            return None
        ln_flow = math.log(flow_lps)
        r = math.log(level_m) - 2.0 * ln_flow - self.opening.mean
        excuse = UNSURE * abs(ln_flow - self.flow)
        return r - excuse if r > excuse else r + excuse if r < -excuse else 0.0

    def learn(self, block: int, flow_lps: float, level_m: float) -> None:
        if level_m < LEAST_M or flow_lps < LEAST_LPS:
            return
        ln_flow = math.log(flow_lps)
        self.opening.learn(math.log(level_m) - 2.0 * ln_flow, block)
        memory = self.opening.memory_days * self.opening.a_day
        self.flow += (ln_flow - self.flow) / min(self.opening.count, memory)

    def dump(self) -> Any:
        return [self.opening.dump(), self.flow]

    def load(self, state: Any) -> None:
        opening, self.flow = state
        self.opening.load(opening)
