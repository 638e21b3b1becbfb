# SPDX-License-Identifier: MIT
"""An alarm as it is stored and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alarm:
    """`raised` is event time, `stored` the gateway's clock; `id` never changes."""

    id: int
    kind: str
    place: str
    state: str
    raised: int
    stored: int
    closed: int | None = None
    lps: float | None = None
    lps_u: float | None = None
    m3: float | None = None
    silent_since: int | None = None
    evidence: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One change of an alarm: what a channel is asked to tell."""

    id: int
    alarm: Alarm
    at: int
    what: str
    who: str | None = None
    note: str | None = None
    again: bool = False  # a try before may have got through: say that it may be a repeat
