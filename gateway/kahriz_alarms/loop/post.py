# SPDX-License-Identifier: MIT
"""Messages to people in village.db: gathered in envelopes, sent once, each try written down.

    waiting -> sending -> sent, or failed (every way tried), or dropped (over before it left)

Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_alarms import dispatch, rota
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.attempts import CALL, DELIVERED, PASSING, TRYING, Attempt
from kahriz_alarms.dispatch import FAILED as FAILED
from kahriz_alarms.dispatch import SENT as SENT
from kahriz_alarms.dispatch import WAITING as WAITING
from kahriz_alarms.dispatch import Told
from kahriz_water.people import Person
from kahriz_water.site import Plan

SENDING, DROPPED = "sending", "dropped"
URGENT, ROUTINE, ANSWER, TEST = "urgent", "routine", "answer", "test"
WORD = "word"  # its words are ready, and it leaves at once without a ring
WEEK_MS = 7 * 86_400_000
AFRESH = ("raised", "reopened", "unshelved", "left", "imported")  # asking begins from the first
MAYBE = "it may have got through"
CUT_OFF = f"the program ended in mid-send: {MAYBE}"


@dataclass(frozen=True, slots=True)
class Post:
    """One message to one person."""

    id: int
    person: str
    sort: str
    state: str
    made: int
    channel: str | None
    text: str | None


def enclose(
    conn: sqlite3.Connection, person: str, sort: str, event: int, alarm: int, asks: bool, now: int
) -> int:
    """Put an event into the envelope that waits for this person; its number."""
    row = conn.execute(
        "SELECT id FROM message WHERE person=? AND sort=? AND state=? AND text IS NULL",
        (person, sort, WAITING),
    ).fetchone()
    ident = put(conn, person, sort, now) if row is None else int(row["id"])
    conn.execute(
        "INSERT INTO message_event(message, alarm_event, alarm, asks) VALUES(?,?,?,?)"
        " ON CONFLICT(message, alarm_event) DO UPDATE SET asks=max(asks, excluded.asks)",
        (ident, event, alarm, int(asks)),
    )
    return ident


def put(
    conn: sqlite3.Connection,
    person: str,
    sort: str,
    now: int,
    channel: str | None = None,
    text: str | None = None,
) -> int:
    cursor = conn.execute(
        "INSERT INTO message(person, sort, state, made, channel, text) VALUES(?,?,?,?,?,?)",
        (person, sort, WAITING, now, channel, text),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def told(conn: sqlite3.Connection, alarm: Alarm) -> list[Told]:
    """Who has been asked about an alarm in the present round, oldest first.

    The question may have gone into an envelope that had been waiting before the round began.
    """
    rows = conn.execute(
        "SELECT DISTINCT m.id, m.person, m.state, m.made, m.done FROM message m"
        " JOIN message_event e ON e.message = m.id JOIN alarm_event ev ON ev.id = e.alarm_event"
        " WHERE e.alarm=:alarm AND e.asks=1 AND (m.made>=:asked OR ev.stored>=:asked)"
        " ORDER BY m.id",
        {"alarm": alarm.id, "asked": alarm.asked},
    )
    states = {SENT: SENT, FAILED: FAILED, DROPPED: FAILED}
    return [
        Told(r["person"], states.get(r["state"], WAITING), r["done"] or r["made"]) for r in rows
    ]


def reached_ms(conn: sqlite3.Connection, alarm: int) -> int | None:
    """When the first question about it left since asking began afresh; None when none has."""
    marks = ",".join("?" * len(AFRESH))
    since = conn.execute(
        f"SELECT max(stored) FROM alarm_event WHERE alarm=? AND (what IN ({marks})"  # noqa: S608
        " OR (what='escalated' AND json_extract(data, '$.late')))",
        (alarm, *AFRESH),
    ).fetchone()[0]
    row = conn.execute(
        "SELECT min(m.done) FROM message m JOIN message_event e ON e.message = m.id"
        " WHERE e.alarm=? AND e.asks=1 AND m.state=? AND m.done>=?",
        (alarm, SENT, since or 0),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def was_told(conn: sqlite3.Connection, alarm: int) -> list[str]:
    """Everybody whom a message about this alarm has reached, ever."""
    rows = conn.execute(
        "SELECT DISTINCT m.person FROM message m JOIN message_event e ON e.message = m.id"
        " WHERE e.alarm=? AND m.state=? ORDER BY m.person",
        (alarm, SENT),
    )
    return [r[0] for r in rows]


def last_alarms(conn: sqlite3.Connection, person: str) -> list[int]:
    """The alarms of the newest message that this person got: what an answer without one means."""
    row = conn.execute(
        "SELECT max(id) FROM message WHERE person=? AND state IN (?, ?) AND sort IN (?, ?)"
        " AND text IS NULL",
        (person, SENT, SENDING, URGENT, ROUTINE),
    ).fetchone()
    rows = conn.execute(
        "SELECT DISTINCT e.alarm FROM message_event e JOIN alarm a ON a.id = e.alarm"
        " WHERE e.message=? AND a.closed IS NULL ORDER BY e.alarm",
        (row[0],),
    )
    return [r[0] for r in rows]


def in_state(conn: sqlite3.Connection, state: str) -> list[Post]:
    """Messages in a state: what asks for an answer first, oldest first."""
    rows = conn.execute("SELECT * FROM message WHERE state=? ORDER BY sort='routine', id", (state,))
    return [
        Post(r["id"], r["person"], r["sort"], r["state"], r["made"], r["channel"], r["text"])
        for r in rows
    ]


def due_ms(conn: sqlite3.Connection, post: Post, plan: Plan, person: Person, now: int) -> int:
    """When a message that waits may leave."""
    if post.sort in (ANSWER, TEST, WORD):
        return post.made
    urgent = post.sort == URGENT
    last = conn.execute(
        "SELECT max(coalesce(done, made)) FROM message"
        " WHERE person=? AND sort=? AND state IN (?,?)",
        (post.person, post.sort, SENT, SENDING),
    ).fetchone()[0]
    due = dispatch.envelope_due(plan, post.made, urgent, last)
    if urgent:
        return due
    today = sent_today(conn, plan, post.person, now)
    return dispatch.routine_due(plan, person, due, today, last)


def sent_today(conn: sqlite3.Connection, plan: Plan, person: str, now: int) -> int:
    """Messages of today that could wait: what the budget counts."""
    day = rota.day_of(plan, now)
    rows = conn.execute(
        "SELECT coalesce(done, made) FROM message WHERE person=? AND sort=? AND state IN (?,?)"
        " AND made > ?",
        (person, ROUTINE, SENT, SENDING, now - WEEK_MS),
    )
    return sum(rota.day_of(plan, r[0]) == day for r in rows)


def event_ids(conn: sqlite3.Connection, message: int) -> list[int]:
    rows = conn.execute(
        "SELECT alarm_event FROM message_event WHERE message=? ORDER BY alarm_event", (message,)
    )
    return [r[0] for r in rows]


def stale(conn: sqlite3.Connection, post: Post) -> bool:
    """Whether all of it was over before it left, and this person never knew of it."""
    if post.sort not in (URGENT, ROUTINE) or post.text is not None:
        return False
    rows = conn.execute(
        "SELECT DISTINCT a.id, a.closed FROM message_event e JOIN alarm a ON a.id = e.alarm"
        " WHERE e.message=?",
        (post.id,),
    ).fetchall()
    return all(r["closed"] is not None and post.person not in was_told(conn, r["id"]) for r in rows)


def set_state(
    conn: sqlite3.Connection,
    message: int,
    state: str,
    done: int | None = None,
    channel: str | None = None,
    error: str | None = None,
) -> None:
    conn.execute(
        "UPDATE message SET state=?, done=?, channel=coalesce(?, channel),"
        " error=coalesce(?, error) WHERE id=?",
        (state, done, channel, error, message),
    )


def attempts(conn: sqlite3.Connection, message: int) -> list[Attempt]:
    rows = conn.execute(
        "SELECT channel, state, at FROM attempt WHERE message=? ORDER BY n", (message,)
    )
    return [Attempt(r["channel"], r["state"], r["at"]) for r in rows]


def begin_attempt(conn: sqlite3.Connection, message: int, channel: str, now: int) -> int:
    n = conn.execute("SELECT count(*) FROM attempt WHERE message=?", (message,)).fetchone()[0] + 1
    conn.execute(
        "INSERT INTO attempt(message, n, channel, state, at) VALUES(?,?,?,?,?)",
        (message, n, channel, TRYING, now),
    )
    return int(n)


def end_attempt(
    conn: sqlite3.Connection, message: int, n: int, state: str, error: str | None
) -> None:
    """A word that comes after the deadline still counts when it is a good one."""
    conn.execute(
        "UPDATE attempt SET state=?, error=coalesce(?, error) WHERE message=? AND n=?"
        " AND (state=? OR ?=?)",
        (state, error, message, n, TRYING, state, DELIVERED),
    )


def cut_off(conn: sqlite3.Connection) -> int:
    """At a start: what a former process was sending may have got through; it is tried again."""
    return conn.execute(
        "UPDATE attempt SET state=?, error=? WHERE state=?", (PASSING, CUT_OFF, TRYING)
    ).rowcount


def may_be_repeat(conn: sqlite3.Connection, message: int) -> bool:
    """Whether a try before may have got through although nobody said so; a ring is no text."""
    row = conn.execute(
        "SELECT 1 FROM attempt WHERE message=? AND channel<>? AND error LIKE ?",
        (message, CALL, f"%{MAYBE}"),
    ).fetchone()
    return row is not None


def counts(conn: sqlite3.Connection, now: int) -> dict[str, dict[str, int]]:
    """Messages that left for each person in the last seven days, by sort."""
    found: dict[str, dict[str, int]] = {}
    rows = conn.execute(
        "SELECT person, sort, count(*) AS n FROM message WHERE state=? AND made > ?"
        " GROUP BY person, sort ORDER BY person, sort",
        (SENT, now - WEEK_MS),
    )
    for r in rows:
        found.setdefault(r["person"], {})[r["sort"]] = r["n"]
    return found
