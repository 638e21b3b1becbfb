# SPDX-License-Identifier: MIT
"""Test messages: by hand at any time, and once a week to everybody, so that a dead way is noticed.

A test needs no answer and is told apart from an alarm by its first words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kahriz_alarms import answers, rota
from kahriz_alarms.attempts import CALL
from kahriz_alarms.loop import post as alarm_post
from kahriz_alarms.loop import store as loop_store
from kahriz_alarms.people import Person
from kahriz_water.site import Plan

WEEKLY = "alarm:weekly-test"
HOUR = 10  # of the site's day: nobody sleeps
LATEST_HOUR = 18


def put(conn: sqlite3.Connection, plan: Plan, people: Iterable[Person], now: int) -> list[int]:
    """A test message to each of them by each of their text channels that is set up."""
    made = []
    for person in people:
        text = answers.say(answers.TEST, person.language, site=plan.name.of(person.language))
        for channel in person.channels:
            if channel != CALL and channel in plan.ways.channels:
                made.append(alarm_post.put(conn, person.id, alarm_post.TEST, now, channel, text))
    return made


def weekly(conn: sqlite3.Connection, plan: Plan, now: int) -> list[int]:
    """The test of the week when it is due: by day, a week after the first start."""
    last = loop_store.get_state(conn, WEEKLY)
    if last is None or last > now:  # the first start, or the clock was set back
        loop_store.set_state(conn, WEEKLY, now)
        return []
    day = HOUR <= rota.local(plan, now).hour < LATEST_HOUR
    if now - last < alarm_post.WEEK_MS or not day:
        return []
    loop_store.set_state(conn, WEEKLY, now)
    return put(conn, plan, plan.people, now)
