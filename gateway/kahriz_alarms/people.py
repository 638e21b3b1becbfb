# SPDX-License-Identifier: MIT
"""People of a plan as alarms see them: where each is reached, and who is meant by a number."""

from __future__ import annotations

from kahriz_water.people import PERSONAL, ROLES, Access, AlarmRules, Duty, Person
from kahriz_water.site import Plan

__all__ = ["PERSONAL", "ROLES", "Access", "AlarmRules", "Duty", "Person", "address", "known"]


def address(person: Person, channel: str) -> str | None:
    """Where a person is reached by a channel; None when the plan does not say."""
    return {
        "call": person.phone,
        "sms": person.phone,
        "telegram": person.telegram,
        "email": person.email,
    }.get(channel)


def known(plan: Plan, channel: str, sender: str) -> Person | None:
    """The person behind a sender; nobody for a number that is not in the plan."""
    wanted = _plain(sender)
    if not wanted:
        return None
    return next((p for p in plan.people if _plain(address(p, channel) or "") == wanted), None)


def _plain(sender: str) -> str:
    """Without blanks and case: the same number, however it is written."""
    return "".join(sender.split()).casefold()
