# SPDX-License-Identifier: MIT
"""What is known when the balance of a reach rings: where, since when, how much, how sure."""

from __future__ import annotations

from dataclasses import dataclass, field

from kahriz_detect.reach.loss import Loss
from kahriz_detect.site import Reach


@dataclass(slots=True)
class Ring:
    """One reach in one block; `now` is where what is now begins, all three are block numbers."""

    reach: Reach
    loss: Loss
    block: int
    since: int
    now: int
    size: float  # litres a second beyond what is usual and open; `u` its standard uncertainty
    u: float
    evidence: dict[str, float | str] = field(default_factory=dict)
