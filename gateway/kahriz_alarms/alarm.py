# SPDX-License-Identifier: MIT
"""An alarm as it is stored and told, and the steps of its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What an alarm turned out to be; the first three are the kankans' own words.
CAUSES = (
    "terkdoyme",  # tərkdöymə: the floor of the gallery was dug deeper
    "dolasov",  # stone and soil that had fallen was cleared
    "aval",  # flood debris was cleared
    "joint",  # a joint of the channel or pipe leaked
    "tapping",  # somebody took water
    "weir_cleaned",
    "sensor",
    "nothing_there",
    "other",  # with words
)


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
    owner: str | None = None  # the person who has it: an id of the plan, or a name that was given
    cause: str | None = None  # what it turned out to be, one of CAUSES
    parent: int | None = None  # the alarm that explains this one: it is told with that
    fixed: int | None = None  # when somebody reported it fixed; not yet proved
    shelved_until: int | None = None
    shelved_by: str | None = None
    shelved_why: str | None = None
    urgent: bool = False
    told_lps: float | None = None  # the size that was told last: the dead band lies around it
    calm: int | None = None  # event time from which on the cause is over, as far as is known
    calm_stored: int | None = None  # the gateway's clock then
    asked: int = 0  # the gateway's clock when the present round of asking began
    answered: int | None = None  # the gateway's clock when somebody took it
    before_lps: float | None = None  # flow at the upper end before it began
    proved: bool = False  # whether the water has proved that it is over

    @property
    def open(self) -> bool:
        return self.closed is None

    def shelved_at(self, now_ms: int) -> bool:
        return self.shelved_until is not None and now_ms < self.shelved_until


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an alarm's life, complete: the steps of an alarm in order make the alarm.

    `at` is event time where the water or a node says it, `stored` the gateway's clock.
    """

    what: str
    at: int
    stored: int
    who: str | None = None
    note: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


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
    children: tuple[Alarm, ...] = ()  # open alarms that this one explains
