# SPDX-License-Identifier: MIT
"""Who is told of an alarm, when it is whose turn, and how a crew may reach a point: the plan's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from kahriz_water.name import Name

ROLES = ("committee", "crew", "technician", "office")
PERSONAL = ("call", "sms", "telegram", "email")  # channels that reach one person
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Person:
    """`channels` are tried in this order; `quiet` is a span of the day such as 22:00-06:00.

    `ascii`: this person's telephone shows no Azerbaijani or Russian letters in an SMS.
    """

    id: str
    name: str
    role: str
    language: str
    channels: tuple[str, ...]
    phone: str | None = None  # E.164: +994501234567
    email: str | None = None
    telegram: str | None = None  # chat id
    ascii: bool = False
    quiet: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One line of the weekly rota: on these days, in this span, these people, first one first."""

    days: tuple[str, ...]
    from_: str
    to: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """The only path to a point that somebody has cleared of mines, who did, and when."""

    point: str
    path: Name
    cleared_by: str
    cleared_on: date


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """A WiFi access point and the nodes behind it: when it dies, they are silent for one reason."""

    id: str
    name: Name
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """[alarms] of the plan: how long each step may take before the next person is told."""

    escalate_minutes: float = 15.0  # without an answer to something urgent
    routine_hours: float = 24.0  # without an answer to something that can wait
    ask_again_hours: float = (
        2.0  # nobody answered something urgent: all are asked again, ever later
    )
    ask_again_most_hours: float = 24.0  # but never later than this
    repair_days: float = 7.0  # taken but not reported fixed: asked for again
    proof_hours: float = 72.0  # reported fixed and not proved by then: opened again
    dead_band: float = 0.10  # a size is told anew when it has moved by this share
    routine_a_day: int = 1  # messages to one person that are not urgent
    gather_minutes: float = 10.0  # news for one person within this time go together
    on_delay_minutes: dict[str, float] = field(default_factory=dict)  # by kind of alarm
    off_delay_minutes: dict[str, float] = field(default_factory=dict)
    public_url: str | None = None  # where links in an e-mail lead: https://kahriz.example
    link_key_file: str | None = None  # signs them; None: a key of its own in the data folder
    sign_of_life: str | None = None  # when each day a text tells the technician that we live
    advisory_days: float = 3.0  # "do not drink until tested" after a storm
