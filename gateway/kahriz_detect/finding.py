# SPDX-License-Identifier: MIT
"""What goes into a detector and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

RAISED, CHANGED, CLEARED = "raised", "changed", "cleared"


class Sample(NamedTuple):
    """One value in event time. `bound` is set where only a bound is known: "lt" or "gt";
    `came` is when the gateway had it, where that is known."""

    ts: int
    point: str
    quantity: str
    value: float
    u: float | None = None
    q: int = 1
    bound: str | None = None
    came: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector has to say: something began, grew, or is over."""

    what: str
    kind: str
    place: str
    ts: int
    lps: float | None = None
    lps_u: float | None = None
    m3: float | None = None
    evidence: dict[str, float | str] = field(default_factory=dict)
