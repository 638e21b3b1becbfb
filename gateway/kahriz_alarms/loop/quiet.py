# SPDX-License-Identifier: MIT
"""Quiet by message: a number can be forged, so one message alone never silences what is urgent.

1. What can wait is shelved at once, for three days at most.
2. What is urgent goes on ringing for everybody but the one who asked; the committee and those who
   were told hear of the wish. A second person who asks for the same within the time agrees, and
   then it is shelved, for twelve hours at most.

Whoever has the token or the machine itself (`kahriz alarm shelve`) needs no second person.
"""

from __future__ import annotations

import json
import sqlite3

from kahriz_alarms import answers, messages
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.loop import post as alarm_post
from kahriz_alarms.people import Person
from kahriz_water.site import Plan

HOUR_MS = 3_600_000
USUAL_HOURS = 12  # when nobody said how many
MOST_HOURS = {True: 12, False: 72}  # by urgent
ASKED = "quiet_asked"


def ask(
    conn: sqlite3.Connection,
    plan: Plan,
    alarm: Alarm,
    person: Person,
    hours: int | None,
    words: str,
    now: int,
    tells: alarm_book.Tells,
) -> tuple[str, str]:
    """What was done, and the answer to who asked; StateError when it cannot follow."""
    until = now + min(hours or USUAL_HOURS, MOST_HOURS[alarm.urgent]) * HOUR_MS
    why = words or "by message"
    wishes = asked_by(conn, alarm.id, now)
    own = wishes.pop(person.id, None)
    if alarm.urgent and own is not None and not wishes:  # nobody is told of it twice
        return ASKED, _say(answers.QUIET, alarm, plan, person.language, own)
    if alarm.urgent and not wishes:
        wish = {"until": until}
        findings.step(conn, alarm, ASKED, now, tells, now, person.id, why, wish)
        _tell_wish(conn, plan, alarm, person, until, now)
        return ASKED, _say(answers.QUIET, alarm, plan, person.language, until)
    data: dict[str, object] = {"until": until}
    if wishes:
        first, until = max(wishes.items(), key=lambda wish: wish[1])
        data = {"until": until, "asked": first}
    findings.step(conn, alarm, "shelved", now, tells, now, person.id, why, data)
    if wishes:
        for other in _others(conn, plan, alarm, person):
            text = answers.done("shelve", [alarm], plan, other.language, until)
            alarm_post.put(conn, other.id, alarm_post.WORD, now, None, text)
    return "shelved", answers.done("shelve", [alarm], plan, person.language, until)


def asked_by(conn: sqlite3.Connection, alarm: int, now: int) -> dict[str, int]:
    """Who wants quiet at this moment, and until when: these are not rung."""
    rows = conn.execute(
        "SELECT who, data FROM alarm_event WHERE alarm=? AND what=? AND stored>? ORDER BY id",
        (alarm, ASKED, now - max(MOST_HOURS.values()) * HOUR_MS),
    )
    found = {str(row["who"]): int(json.loads(row["data"])["until"]) for row in rows}
    return {person: until for person, until in found.items() if until > now}


def _tell_wish(
    conn: sqlite3.Connection, plan: Plan, alarm: Alarm, person: Person, until: int, now: int
) -> None:
    for other in _others(conn, plan, alarm, person):
        text = _say(answers.WISH, alarm, plan, other.language, until, person)
        alarm_post.put(conn, other.id, alarm_post.WORD, now, None, text)


def _others(conn: sqlite3.Connection, plan: Plan, alarm: Alarm, person: Person) -> list[Person]:
    told = alarm_post.was_told(conn, alarm.id)
    return [p for p in plan.people if p.id != person.id and (p.role == "committee" or p.id in told)]


def _say(
    text: str, alarm: Alarm, plan: Plan, language: str, until: int, who: Person | None = None
) -> str:
    return answers.say(
        text,
        language,
        alarms=answers.named([alarm], plan, language),
        until=messages.moment(until),
        who=who.name if who else "",
        example=f"{answers.DIGIT['shelve']} #{alarm.id}",
    )
