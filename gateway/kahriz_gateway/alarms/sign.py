# SPDX-License-Identifier: MIT
"""A daily sign of life by SMS to the technician: when it stays away, the gateway is dead.

For a village without Internet, where nobody looks at the page: `sign_of_life = "09:00"` under
[alarms]. It takes the place of that day's message that can wait; where a text has reached the
technician that day, that was the sign.
"""

from __future__ import annotations

import sqlite3

from kahriz_alarms import answers, rota
from kahriz_alarms.attempts import DELIVERED
from kahriz_alarms.people import Person
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms import state as alarm_state
from kahriz_gateway.page.nodes import late_ms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan, Point

KEY = "alarm:sign-of-life"
BY, ROLE = "sms", "technician"


def daily(conn: sqlite3.Connection, plan: Plan, now: int) -> list[int]:
    """The signs of this day when they are due; their messages."""
    if plan.alarms.sign_of_life is None:
        return []
    here, day = rota.local(plan, now), rota.day_of(plan, now)
    if here.hour * 60 + here.minute < rota.minute(plan.alarms.sign_of_life):
        return []
    if village_store.get_state(conn, KEY) == day:
        return []
    village_store.set_state(conn, KEY, day)
    return [
        alarm_post.put(conn, p.id, alarm_post.ROUTINE, now, BY, text(conn, plan, p, now))
        for p in receivers(plan)
        if not _heard_today(conn, plan, p, now)
    ]


def receivers(plan: Plan) -> list[Person]:
    """The technicians whom a text can reach."""
    reached = BY in plan.ways.channels
    return [p for p in plan.people if reached and p.role == ROLE and BY in p.channels]


def text(conn: sqlite3.Connection, plan: Plan, person: Person, now: int) -> str:
    """How it stands, from what was stored; an old number is told with its time."""
    flows = [
        flow for p in plan.points if (flow := alarm_state.flow(conn, plan, p, person.language))
    ]
    nodes = {point.node for point in plan.points}
    heard = {point.node for point in plan.points if _heard(conn, point, now)}
    return answers.say(
        answers.SIGN,
        person.language,
        site=plan.name.of(person.language),
        flow=flows[0] if flows else answers.say(answers.NO_READING, person.language),
        heard=len(heard),
        nodes=len(nodes),
        alarms=len(alarm_book.open_alarms(conn)),
    )


def _heard(conn: sqlite3.Connection, point: Point, now: int) -> bool:
    late = late_ms(point.dt_s, point.batch)
    for quantity in village_store.quantities_of(conn, point.id):
        value = village_store.last_value(conn, point.id, quantity)
        if value is not None and now - value.ts <= late:
            return True
    return False


def _heard_today(conn: sqlite3.Connection, plan: Plan, person: Person, now: int) -> bool:
    """Whether a text has reached this person today, or the day's budget is used up."""
    if alarm_post.sent_today(conn, plan, person.id, now) >= plan.alarms.routine_a_day:
        return True
    row = conn.execute(
        "SELECT max(a.at) FROM attempt a JOIN message m ON m.id = a.message"
        " WHERE m.person=? AND a.channel=? AND a.state=?",
        (person.id, BY, DELIVERED),
    ).fetchone()
    return row[0] is not None and rota.day_of(plan, row[0]) == rota.day_of(plan, now)
