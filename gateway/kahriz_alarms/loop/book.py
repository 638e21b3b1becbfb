# SPDX-License-Identifier: MIT
"""Alarms and their steps in village.db: a step is stored with what it makes of its alarm.

Everything here runs inside the caller's transaction. `record` is the only way in which an alarm
changes, and `rebuilt` makes every alarm anew from its steps alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from kahriz_alarms import life
from kahriz_alarms.alarm import Alarm, Event, Step

Tells = Mapping[str, tuple[str, ...]]  # channel name -> events it wants
FLAGS = ("urgent", "proved")
COLUMNS = tuple(f.name for f in fields(Alarm))


class NoAlarmError(Exception):
    """There is no alarm of this number."""


def alarm_of(row: sqlite3.Row) -> Alarm:
    found: dict[str, Any] = {key: row[key] for key in COLUMNS}
    found["evidence"] = json.loads(row["evidence"])
    return Alarm(**found | {flag: bool(row[flag]) for flag in FLAGS})


def load(conn: sqlite3.Connection, ident: int) -> Alarm | None:
    row = conn.execute("SELECT * FROM alarm WHERE id=?", (ident,)).fetchone()
    return None if row is None else alarm_of(row)


def known(conn: sqlite3.Connection, ident: int) -> Alarm:
    """The alarm of this number, which must be there."""
    found = load(conn, ident)
    if found is None:
        raise NoAlarmError(f"no alarm {ident}")
    return found


def open_alarm(conn: sqlite3.Connection, kind: str, place: str) -> Alarm | None:
    row = conn.execute(
        "SELECT * FROM alarm WHERE kind=? AND place=? AND closed IS NULL", (kind, place)
    ).fetchone()
    return None if row is None else alarm_of(row)


def open_alarms(conn: sqlite3.Connection) -> list[Alarm]:
    rows = conn.execute("SELECT * FROM alarm WHERE closed IS NULL ORDER BY raised, id")
    return [alarm_of(r) for r in rows]


def alarms(conn: sqlite3.Connection) -> list[Alarm]:
    """All that ever were, closed ones too."""
    return [alarm_of(r) for r in conn.execute("SELECT * FROM alarm ORDER BY raised, id")]


def begin(conn: sqlite3.Connection, step: Step, tells: Tells) -> Alarm:
    """Store a new alarm with its first step."""
    columns = life.birth(step)
    columns["evidence"] = json.dumps(columns["evidence"])
    names = ", ".join(columns)
    marks = ",".join("?" * len(columns))
    cursor = conn.execute(
        f"INSERT INTO alarm({names}) VALUES({marks})",
        tuple(columns.values()),
    )
    assert cursor.lastrowid is not None
    alarm = life.raised(cursor.lastrowid, step)
    _event(conn, alarm.id, step, tells)
    return alarm


def record(conn: sqlite3.Connection, alarm: Alarm, step: Step, tells: Tells) -> Alarm:
    """Store a step and what it makes of its alarm; StateError when it cannot follow."""
    after = life.fold(alarm, step)
    before = asdict(alarm)
    _put(conn, alarm.id, {k: v for k, v in asdict(after).items() if v != before[k]})
    _event(conn, alarm.id, step, tells)
    return after


def put(conn: sqlite3.Connection, alarm: Alarm) -> None:
    """Store an alarm as its steps make it, after the steps themselves have changed."""
    _put(conn, alarm.id, {k: v for k, v in asdict(alarm).items() if k not in ("id", "evidence")})


def _put(conn: sqlite3.Connection, ident: int, columns: Mapping[str, Any]) -> None:
    if columns:
        sets = ", ".join(f"{key}=?" for key in columns)
        conn.execute(
            f"UPDATE alarm SET {sets} WHERE id=?",  # noqa: S608
            (*columns.values(), ident),
        )


def _event(conn: sqlite3.Connection, alarm: int, step: Step, tells: Tells) -> None:
    cursor = conn.execute(
        "INSERT INTO alarm_event(alarm, at, what, who, note, stored, data) VALUES(?,?,?,?,?,?,?)",
        (alarm, step.at, step.what, step.who, step.note, step.stored, json.dumps(dict(step.data))),
    )
    for channel, wanted in tells.items():
        if step.what in wanted:
            conn.execute(
                "INSERT INTO delivery(alarm_event, channel, state) VALUES(?,?,'pending')",
                (cursor.lastrowid, channel),
            )


def step_of(row: sqlite3.Row) -> Step:
    stored = row["at"] if row["stored"] is None else row["stored"]
    data = json.loads(row["data"])
    return Step(row["what"], row["at"], stored, row["who"], row["note"], data)


def steps(conn: sqlite3.Connection, alarm: int) -> list[Step]:
    """The life of an alarm, in order."""
    rows = conn.execute("SELECT * FROM alarm_event WHERE alarm=? ORDER BY id", (alarm,))
    return [step_of(r) for r in rows]


def rebuilt(conn: sqlite3.Connection, upto: int | None = None) -> dict[int, Alarm]:
    """Every alarm as its steps make it, up to an event's number."""
    last = (1 << 62) if upto is None else upto
    rows = conn.execute("SELECT * FROM alarm_event WHERE id <= ? ORDER BY id", (last,))
    lives: dict[int, list[Step]] = {}
    for row in rows:
        lives.setdefault(row["alarm"], []).append(step_of(row))
    return {ident: life.replay(ident, told) for ident, told in lives.items()}


def children(conn: sqlite3.Connection, alarm: int) -> tuple[Alarm, ...]:
    """Open alarms that this one explains."""
    rows = conn.execute(
        "SELECT * FROM alarm WHERE parent=? AND closed IS NULL ORDER BY id", (alarm,)
    )
    return tuple(alarm_of(r) for r in rows)


def events(conn: sqlite3.Connection, idents: Iterable[int], again: bool) -> tuple[Event, ...]:
    """Events with their alarms as they are now, oldest first."""
    found = []
    for ident in sorted(idents):
        row = conn.execute("SELECT * FROM alarm_event WHERE id=?", (ident,)).fetchone()
        alarm = None if row is None else load(conn, row["alarm"])
        if alarm is not None:
            below = children(conn, alarm.id)
            found.append(
                Event(ident, alarm, row["at"], row["what"], row["who"], row["note"], again, below)
            )
    return tuple(found)


def newest_event(conn: sqlite3.Connection, alarm: int, what: Iterable[str]) -> int:
    """The number of the newest of these events of an alarm, or of its first one."""
    wanted = list(what)
    marks = ",".join("?" * len(wanted))
    row = conn.execute(
        f"SELECT max(id) FROM alarm_event WHERE alarm=? AND what IN ({marks})",  # noqa: S608
        (alarm, *wanted),
    ).fetchone()
    if row[0] is not None:
        return int(row[0])
    first = conn.execute("SELECT min(id) FROM alarm_event WHERE alarm=?", (alarm,)).fetchone()
    return int(first[0])
