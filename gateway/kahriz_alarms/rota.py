# SPDX-License-Identifier: MIT
"""Whose turn it is: the weekly rota, the order in which people are asked, quiet hours.

The rota and the quiet hours are in the site's own time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kahriz_alarms.people import Duty, Person
from kahriz_water.people import DAYS
from kahriz_water.site import Plan

BAKU = timezone(timedelta(hours=4))  # Asia/Baku: no summer time since 2016 (IANA tz, 2016d)
DAY_MINUTES = 1440


def zone(plan: Plan) -> tzinfo:
    """The plan's time zone; Baku where this machine has no list of zones."""
    try:
        return ZoneInfo(plan.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return BAKU


def local(plan: Plan, ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone(plan))


def minute(text: str) -> int:
    """
    >>> minute("06:30")
    390
    """
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def on_duty(plan: Plan, now_ms: int) -> list[str]:
    """Who has the turn now, first one first; a turn over midnight belongs to its first day."""
    now = local(plan, now_ms)
    at = now.hour * 60 + now.minute
    found: list[str] = []
    for duty in plan.rota:
        if _covers(duty, DAYS[now.weekday()], DAYS[now.weekday() - 1], at):
            found += duty.people
    return list(dict.fromkeys(found))


def _covers(duty: Duty, today: str, yesterday: str, at: int) -> bool:
    start, end = minute(duty.from_), minute(duty.to)
    if start < end:
        return today in duty.days and start <= at < end
    return (today in duty.days and at >= start) or (yesterday in duty.days and at < end)


def ladder(plan: Plan, roles: Iterable[str], now_ms: int, owner: str | None = None) -> list[Person]:
    """Whom to ask, in this order: who has it already, who has the turn, then role by role."""
    wanted = list(roles)
    fit = [p for role in wanted for p in plan.people if p.role == role]
    duty = on_duty(plan, now_ms)
    first = [p for ident in duty for p in fit if p.id == ident]
    mine = [p for p in plan.people if owner is not None and p.id == owner]
    return list({p.id: p for p in [*mine, *first, *fit]}.values())


def quiet_until(plan: Plan, person: Person, now_ms: int) -> int:
    """When this person may be told something that can wait: now, or when the quiet ends."""
    if person.quiet is None:
        return now_ms
    now = local(plan, now_ms)
    at = now.hour * 60 + now.minute
    start, end = (minute(text) for text in person.quiet)
    inside = start <= at < end if start < end else at >= start or at < end
    if not inside:
        return now_ms
    wait = (end - at) % DAY_MINUTES
    return now_ms + wait * 60_000 - now_ms % 60_000


def day_of(plan: Plan, ms: int) -> int:
    """The number of the day in the site's time: a budget is for one of them."""
    return local(plan, ms).toordinal()


def next_day(plan: Plan, ms: int) -> int:
    """When the next day of the site begins."""
    now = local(plan, ms)
    morning = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(morning.timestamp() * 1000)
