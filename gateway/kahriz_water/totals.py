# SPDX-License-Identifier: MIT
"""Water that ran past a point in a span, with what is uncertain about it.

Each reading speaks for the time until the next one, but not longer than 2.5 intervals: what lies
beyond is not covered. The random part of the uncertainty becomes smaller with the number of
readings, the systematic part (zero, plate, coefficient) does not: ten thousand readings of a weir
whose zero is 3 mm off are as wrong as one. A bound counts as a range.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from kahriz_water.quality import FAIL
from kahriz_water.value import Value

HOLD = 2.5  # intervals
BOUNDS = {
    "discharge_lps": "",
    "flow_lps": "",
    "discharge_lt_lps": "below",
    "discharge_gt_lps": "above",
}


@dataclass(frozen=True, slots=True)
class Total:
    """Between `m3` and `most_m3` (None: no upper end is known), each known to +- `u_m3`.

    `coverage` is the share of the span that readings speak for; `m3` counts that share alone.
    """

    m3: float
    most_m3: float | None
    u_m3: float
    u_systematic_m3: float
    u_random_m3: float
    coverage: float
    readings: int
    manual: int
    until_ms: int  # where the last reading ends to speak
    missing_ms: int  # before that, and spoken for by none

    def minus(self, below: Total) -> tuple[float, float]:
        """What went in here and did not come out below, with its uncertainty: two instruments."""
        return self.m3 - below.m3, math.hypot(self.u_m3, below.u_m3)


def total(values: Iterable[Value], start_ms: int, end_ms: int, dt_s: float) -> Total | None:
    """Volume of a span; None when no reading speaks for any of it.

    `values` are of one point, of the quantities in `BOUNDS`, from `HOLD` intervals before
    `start_ms`; failed and missing ones are left out here.
    """
    rows = sorted(
        (v for v in values if v.quantity in BOUNDS and v.q < FAIL),
        key=lambda v: (v.ts, v.manual, BOUNDS[v.quantity]),
    )
    hold_ms = HOLD * dt_s * 1000.0
    m3 = range_m3 = u_systematic = u_random2 = covered = 0.0
    readings = manual = last_ms = 0
    endless = False
    for value, after in itertools.zip_longest(rows, rows[1:]):
        until = value.ts + (hold_ms if after is not None else dt_s * 1000.0)
        if after is not None:
            until = min(until, after.ts)
        held_ms = min(until, end_ms) - max(value.ts, start_ms)
        if held_ms <= 0:
            continue
        covered += held_ms
        last_ms = round(min(until, end_ms))
        readings += 1
        manual += value.manual
        litres = held_ms / 1000.0
        bound = BOUNDS[value.quantity]
        if bound == "below":
            range_m3 += value.value * litres / 1000.0
            continue
        endless |= bound == "above"
        m3 += value.value * litres / 1000.0
        u = value.u or 0.0
        u_one = min(u, value.u_random or 0.0)
        u_systematic += math.sqrt(u * u - u_one * u_one) * litres / 1000.0
        u_random2 += (u_one * litres / 1000.0) ** 2
    if covered == 0.0:
        return None
    return Total(
        m3=m3,
        most_m3=None if endless else m3 + range_m3,
        u_m3=math.sqrt(u_systematic**2 + u_random2),
        u_systematic_m3=u_systematic,
        u_random_m3=math.sqrt(u_random2),
        coverage=covered / (end_ms - start_ms),
        readings=readings,
        manual=manual,
        until_ms=last_ms,
        missing_ms=max(0, last_ms - start_ms - round(covered)),
    )
