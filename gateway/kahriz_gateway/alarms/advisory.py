# SPDX-License-Identifier: MIT
""" "Do not drink until tested": begun by a storm or by the committee, for a set number of days.

It is an alarm of the kind `advisory` at the site, so that page, MQTT and webhooks show it; nobody
is asked for anything. Everybody in the plan is told once when it begins and once when it ends,
and its end never says that the water may be drunk.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_alarms import answers, messages
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.messages_sms import WARNING
from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

KIND, STORM = "advisory", "storm"
KEY = "alarm:advisory"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Advisory:
    """The one that runs; `who` is None where a storm began it."""

    alarm: Alarm
    until: int
    who: str | None
    why: str


def running(conn: sqlite3.Connection, plan: Plan) -> Advisory | None:
    alarm = alarm_book.open_alarm(conn, KIND, plan.id)
    kept = village_store.get_state(conn, KEY) or {}
    if alarm is None or kept.get("alarm") != alarm.id:
        return None
    return Advisory(alarm, int(kept["until"]), kept["who"], str(kept["why"]))


def start(
    conn: sqlite3.Connection,
    plan: Plan,
    until: int,
    who: str | None,
    why: str,
    now: int,
    tells: alarm_book.Tells,
) -> Advisory:
    """Begin one, or let the one that runs last until then; never shorter than it was."""
    old = running(conn, plan)
    if old is not None:
        return _keep_on(conn, old, max(until, old.until))
    found = Finding(RAISED, KIND, plan.id, now, evidence={"detail": why})
    village_alarms.apply(conn, [found], plan, now, tells)
    alarm = alarm_book.open_alarm(conn, KIND, plan.id)
    assert alarm is not None
    made = _keep_on(conn, Advisory(alarm, until, who, why), until)
    for person in plan.people:
        if person.id != who:
            reason = _storm(person.language) if who is None else why
            values = {"until": messages.moment(until), "why": reason}
            _tell(conn, plan, person.id, person.language, answers.ADVISE, values, now)
    return made


def _storm(language: str) -> str:
    """Why, and what to beware of: the outlet is where children are."""
    return f"{answers.say(answers.STORM, language)}. {answers.say(WARNING, language)}"


def end(
    conn: sqlite3.Connection,
    plan: Plan,
    who: str | None,
    now: int,
    tells: alarm_book.Tells,
    note: str | None = None,
) -> Alarm | None:
    """End the one that runs: by a person, or without one because its days are over."""
    advisory = running(conn, plan)
    if advisory is None:
        return None
    what = "cleared" if who is None else "closed"
    at = max(now, advisory.alarm.raised)
    data = {} if who is None else {"cause": "other"}
    closed = village_alarms.step(conn, advisory.alarm, what, at, tells, now, who, note, data)
    for person in plan.people:
        if person.id != who:
            over = answers.DAYS_OVER if who is None else answers.ENDED_BY
            why = answers.say(over, person.language, **({} if who is None else {"who": who}))
            _tell(conn, plan, person.id, person.language, answers.ADVISE_END, {"why": why}, now)
    return closed


def keep(conn: sqlite3.Connection, plan: Plan, now: int, tells: alarm_book.Tells) -> None:
    """A storm begins one, lasts it while it goes on, and the days set follow; then it ends.

    What a person has ended stays ended for that storm.
    """
    storms = [a for a in alarm_book.open_alarms(conn) if a.kind == STORM and a.calm is None]
    newest = max((a.id for a in storms), default=0)
    until = now + round(plan.alarms.advisory_days * DAY_MS)
    kept = village_store.get_state(conn, KEY) or {}
    if newest > kept.get("storm", 0):
        start(conn, plan, until, None, answers.STORM, now, tells)
        kept = village_store.get_state(conn, KEY) or {}
        village_store.set_state(conn, KEY, {**kept, "storm": newest})
    advisory = running(conn, plan)
    if advisory is None:
        return
    if storms and until - advisory.until > HOUR_MS:
        _keep_on(conn, advisory, until)
    elif now >= advisory.until:
        end(conn, plan, None, now, tells)


def _keep_on(conn: sqlite3.Connection, advisory: Advisory, until: int) -> Advisory:
    kept = village_store.get_state(conn, KEY) or {}
    kept |= {
        "alarm": advisory.alarm.id,
        "until": until,
        "who": advisory.who,
        "why": advisory.why,
    }
    village_store.set_state(conn, KEY, kept)
    return Advisory(advisory.alarm, until, advisory.who, advisory.why)


def _tell(
    conn: sqlite3.Connection,
    plan: Plan,
    person: str,
    language: str,
    text: str,
    values: dict[str, str],
    now: int,
) -> None:
    words = answers.say(text, language, site=plan.name.of(language), **values)
    alarm_post.put(conn, person, alarm_post.WORD, now, None, words)
