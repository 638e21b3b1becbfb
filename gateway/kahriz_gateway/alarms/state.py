# SPDX-License-Identifier: MIT
""" "SU?": how a kahriz stands, for somebody who has asked by SMS or Telegram."""

from __future__ import annotations

import sqlite3

from kahriz_alarms import answers, messages, messages_sms
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.people import Person
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.alarms import FLOWS
from kahriz_water.site import Plan, Point

MOST = 3  # alarms and points in one answer: it is paid for by the part
BAD = 3  # QARTOD flags from here on are not told as water


def state_text(conn: sqlite3.Connection, plan: Plan, person: Person) -> str:
    """The flow at each point with its time, the open alarms, and all that is known of the first."""
    language = person.language
    lines = [line for point in plan.points if (line := flow(conn, plan, point, language))]
    found = sorted(alarm_book.open_alarms(conn), key=lambda a: (not a.urgent, -a.id))
    alarms = [a for a in found if a.parent is None]
    text = lines[:MOST] or [answers.say(answers.NO_READING, language)]
    if not alarms:
        return "\n".join([*text, answers.say(answers.NO_ALARM, language)])
    text.append(answers.named(alarms, plan, language, MOST))
    text.append(messages_sms.second_part([_event(conn, alarms[0])], plan, person))
    return "\n".join(text)


def _event(conn: sqlite3.Connection, alarm: Alarm) -> Event:
    return Event(0, alarm, alarm.raised, "raised", children=alarm_book.children(conn, alarm.id))


def flow(conn: sqlite3.Connection, plan: Plan, point: Point, language: str) -> str | None:
    """`Outlet: 12,0 l/s, 23.11 09:00`; None where no flow was ever measured."""
    name = messages_sms.short_place(plan, point.id, language)
    for quantity in FLOWS:
        value = village_store.last_value(conn, point.id, quantity)
        if value is None:
            continue
        if value.q >= BAD:
            size = answers.say(answers.NO_READING, language)
        else:
            litres = messages.number(value.value, 1, language)
            size = answers.say("%(litres)s L/s", language, litres=litres)
        return f"{name}: {size}, {messages.moment(value.ts)}"
    return None
