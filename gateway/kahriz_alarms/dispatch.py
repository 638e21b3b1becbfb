# SPDX-License-Identifier: MIT
"""Who is to be told of an alarm next, and when: pure, at the moment that is handed in.

1. Nobody has been told in this round: the first of the ladder.
2. A message could not be delivered by any way: the next one, at once.
3. A message went out and nobody has answered in the time set: the next one.
4. Everybody has been asked: after a pause all of them again, for as long as it is open. The pause
   grows with the time for which nobody has answered, to a day at most; a round that comes but once
   a day leaves its first person's night alone.
5. Somebody has it, but no repair is reported in the time set: all over again, its owner first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kahriz_alarms import kinds, rota, states
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.people import Person
from kahriz_water.site import Plan

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
ROUTINE_PAUSE_MS = 7 * DAY_MS  # before everybody is asked again about what can wait

WAITING, SENT, FAILED = "waiting", "sent", "failed"
# What those who have been told of an alarm are told later, without being asked for anything.
NEWS = ("cleared", "closed", "verified", "silent", "acknowledged", "coming")
SOON = ("acknowledged", "coming")  # of an urgent alarm: two crews should not set out


@dataclass(frozen=True, slots=True)
class Told:
    """One message about an alarm to one person: how far it has come, and since when."""

    person: str
    state: str
    at: int  # made, or, once it is sent or failed, then


@dataclass(frozen=True, slots=True)
class Ask:
    """Tell this person. `escalated`: somebody was asked before. `again`: a new round."""

    person: str | None
    escalated: bool = False
    again: bool = False


def next_ask(
    alarm: Alarm, told: Sequence[Told], plan: Plan, now_ms: int, reached_ms: int | None
) -> Ask | None:
    """What is to be done now for one alarm; None while there is nothing to do.

    `told` are the messages of the present round, oldest first; `reached_ms` is when the first
    message of all rounds left, None when none has. A person of None says that the plan has nobody
    to ask.
    """
    if not alarm.open or alarm.parent is not None or alarm.shelved_at(now_ms):
        return None
    if alarm.state in states.TAKEN:
        return _repair_is_late(alarm, plan, now_ms)
    if alarm.state not in states.UNANSWERED:
        return None
    people = rota.ladder(plan, kinds.of(alarm.kind).roles, now_ms, alarm.owner)
    if not people:
        return None
    if not told:
        return Ask(people[0].id)
    last = told[-1]
    if last.state == WAITING or (last.state == SENT and now_ms - last.at < patience(alarm, plan)):
        return None
    asked = {t.person for t in told}
    following = next((p for p in people if p.id not in asked), None)
    if following is not None:
        return Ask(following.id, escalated=True)
    pause_ms = pause(alarm, plan, 0 if reached_ms is None else last.at - reached_ms)
    if now_ms - last.at < pause_ms:
        return None
    if pause_ms >= DAY_MS and rota.quiet_until(plan, people[0], now_ms) > now_ms:
        return None
    return Ask(people[0].id, escalated=True, again=True)


def patience(alarm: Alarm, plan: Plan) -> int:
    """How long an answer is waited for."""
    rules = plan.alarms
    minutes = rules.escalate_minutes if alarm.urgent else rules.routine_hours * 60
    return round(minutes * MINUTE_MS)


def pause(alarm: Alarm, plan: Plan, waited_ms: int) -> int:
    """How long people who have been asked are left alone, after so long without an answer."""
    if not alarm.urgent:
        return ROUTINE_PAUSE_MS
    least, most = plan.alarms.ask_again_hours, plan.alarms.ask_again_most_hours
    return round(min(max(waited_ms, least * HOUR_MS), most * HOUR_MS))


def _repair_is_late(alarm: Alarm, plan: Plan, now_ms: int) -> Ask | None:
    since = alarm.answered if alarm.answered is not None else alarm.asked
    if now_ms - since < plan.alarms.repair_days * DAY_MS:
        return None
    people = rota.ladder(plan, kinds.of(alarm.kind).roles, now_ms, alarm.owner)
    return Ask(people[0].id if people else None, escalated=True, again=True)


def envelope_due(plan: Plan, made_ms: int, urgent: bool, last_urgent_ms: int | None) -> int:
    """When a message may leave: the first urgent one at once, what follows gathers for a while."""
    gather = round(plan.alarms.gather_minutes * MINUTE_MS)
    if not urgent:
        return made_ms + gather
    return made_ms if last_urgent_ms is None else max(made_ms, last_urgent_ms + gather)


def routine_due(
    plan: Plan, person: Person, due_ms: int, sent_today: int, last_sent_ms: int | None
) -> int:
    """When a message that can wait may leave: in the day's budget, outside of quiet hours."""
    when = due_ms
    if sent_today >= plan.alarms.routine_a_day and last_sent_ms is not None:
        when = max(when, rota.next_day(plan, last_sent_ms))
    return rota.quiet_until(plan, person, when)
