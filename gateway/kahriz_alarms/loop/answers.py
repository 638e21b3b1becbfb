# SPDX-License-Identifier: MIT
"""What somebody has written to us: stored once, understood, done in the alarm book, answered.

Only a person of the plan is obeyed and answered; a stranger's words are stored and nothing else.
The same message a second time does nothing. All of it is one transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from kahriz_alarms import answers, kinds, replies, states
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.loop import post as alarm_post
from kahriz_alarms.loop import quiet as alarm_quiet
from kahriz_alarms.people import Person, known
from kahriz_alarms.personal import Incoming
from kahriz_alarms.replies import Reply
from kahriz_water.site import Plan

STEPS = {"ack": "acknowledged", "coming": "coming", "fixed": "fixed", "shelve": "shelved"}
HOUR_MS = 3_600_000
OLD_MS = 24 * HOUR_MS  # an answer this late without a number could mean another alarm
MOST_AN_HOUR = 30  # of one person: a telephone that answers itself must not empty the credit
StateText = Callable[[sqlite3.Connection, Plan, Person], str]
STRANGER, FLOOD, LATE = "stranger", "too many", "too late"


def take(
    conn: sqlite3.Connection,
    plan: Plan,
    said: Incoming,
    now: int,
    tells: alarm_book.Tells,
    state_text: StateText | None = None,
) -> str | None:
    """Store it and do what it says; what was done, None for what was known already."""
    person = known(plan, said.channel, said.sender)
    stored = conn.execute(
        "INSERT INTO incoming(channel, key, at, stored, sender, person, text, did)"
        " VALUES(?,?,?,?,?,?,?,'') ON CONFLICT DO NOTHING",
        (
            said.channel,
            said.key,
            said.at_ms,
            now,
            said.sender,
            person.id if person else None,
            said.text[: replies.LONGEST],
        ),
    )
    if stored.rowcount == 0:
        return None
    did = _do(conn, plan, said, person, now, tells, state_text or open_alarms_text)
    conn.execute(
        "UPDATE incoming SET did=? WHERE channel=? AND key=?", (did, said.channel, said.key)
    )
    return did


def _do(
    conn: sqlite3.Connection,
    plan: Plan,
    said: Incoming,
    person: Person | None,
    now: int,
    tells: alarm_book.Tells,
    state_text: StateText,
) -> str:
    if person is None:
        return STRANGER
    lately = conn.execute(
        "SELECT count(*) FROM incoming WHERE person=? AND stored > ? AND stored <= ?",
        (person.id, now - HOUR_MS, now),
    ).fetchone()[0]
    if lately > MOST_AN_HOUR:
        return FLOOD
    reply = replies.parse(said.text)
    did, text = reply.op, answers.say(answers.HELP, person.language)
    if reply.op == "state":
        text = state_text(conn, plan, person)
    elif reply.op in STEPS:
        late = reply.alarm is None and now - said.at_ms > OLD_MS
        did, text = (LATE, text) if late else _step(conn, plan, reply, person, now, tells)
    alarm_post.put(conn, person.id, alarm_post.ANSWER, now, said.channel, text)
    return did


def open_alarms_text(conn: sqlite3.Connection, plan: Plan, person: Person) -> str:
    """How it stands where nothing is known but alarms."""
    opened = [a for a in alarm_book.open_alarms(conn) if a.parent is None]
    if not opened:
        return answers.say(answers.NO_ALARM, person.language)
    return answers.named(opened, plan, person.language)


def _step(
    conn: sqlite3.Connection,
    plan: Plan,
    reply: Reply,
    person: Person,
    now: int,
    tells: alarm_book.Tells,
) -> tuple[str, str]:
    """The step on every alarm that is meant, and the answer."""
    language = person.language
    meant = _meant(conn, reply, person)
    if not meant:
        if reply.alarm is not None:
            return "no such", answers.say(answers.UNKNOWN, language, number=reply.alarm)
        return "nothing open", answers.say(answers.NONE, language)
    if len(meant) > 1 and reply.op in ("fixed", "shelve"):  # one repair is not all of them
        return "which", answers.which(reply.op, meant, plan, language)
    if reply.op == "shelve":
        try:
            return alarm_quiet.ask(
                conn, plan, meant[0], person, reply.hours, reply.words, now, tells
            )
        except states.StateError:
            return "cannot", _cannot(meant, plan, language)
    data: dict[str, object] = {"cause": reply.cause} if reply.op == "fixed" else {}
    took = []
    for alarm in meant:
        try:
            findings.step(
                conn, alarm, STEPS[reply.op], now, tells, now, person.id, reply.words or None, data
            )
        except states.StateError:
            continue
        took.append(alarm)
    if not took:
        return "cannot", _cannot(meant, plan, language)
    return STEPS[reply.op], answers.done(reply.op, took, plan, language)


def _cannot(meant: list[Alarm], plan: Plan, language: str) -> str:
    named = answers.named(meant, plan, language)
    return answers.say(answers.CANNOT, language, alarms=named)


def _meant(conn: sqlite3.Connection, reply: Reply, person: Person) -> list[Alarm]:
    """The alarm that was named; else those of the newest message; else what this person has.

    What asks nobody (an advisory) takes no answer.
    """
    opened = [a for a in alarm_book.open_alarms(conn) if kinds.of(a.kind).roles]
    if reply.alarm is not None:
        return [a for a in opened if a.id == reply.alarm]
    mine = [a for a in opened if a.owner == person.id and a.state in states.TAKEN]
    newest = alarm_post.last_alarms(conn, person.id)
    told = [a for a in opened if a.id in newest]
    if reply.op == "fixed":
        return mine or told
    return told or mine
