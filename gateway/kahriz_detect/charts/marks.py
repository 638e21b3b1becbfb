# SPDX-License-Identifier: MIT
"""Four to six round values that hold all there is to draw."""

from __future__ import annotations

import math


def round_marks(low: float, high: float) -> list[float]:
    """
    >>> round_marks(11.2, 14.9)
    [11.0, 12.0, 13.0, 14.0, 15.0]
    """
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, max(last, first + 1) + 1)]
