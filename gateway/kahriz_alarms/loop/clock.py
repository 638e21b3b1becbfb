# SPDX-License-Identifier: MIT
"""The alarm loop after a wrong clock: no stored moment may lie in the future.

A clock that said 2036 and was put right leaves steps, messages and tries of 2036. Until then
nobody would be asked again, and what waits for its time would wait ten years. Such moments become
the moment at which the clock was put right; what was to last so long lasts so long from now. Where
steps stood before is kept, so that who has passed them on can take them back.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import Protocol

from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import store as loop_store

SLACK_MS = 60_000  # two threads do not read the clock at once
CANDIDATE_MS = 3_600_000  # a finding that waits to become an alarm waits no longer than this
MOVED = "moved_steps"
MOVED_MOST = 2_000  # of the newest steps it is known where they stood

log = logging.getLogger(__name__)


class Clock(Protocol):
    """The clock that the loop is handed, and whether it may be believed."""

    def now_ms(self) -> int: ...
    def trusted(self) -> bool: ...


def newest_ms(conn: sqlite3.Connection) -> int:
    """The newest moment that the store knows of: time goes on from there."""
    found = [
        conn.execute("SELECT max(stored) FROM alarm_event").fetchone()[0],
        conn.execute("SELECT max(coalesce(done, made)) FROM message").fetchone()[0],
        loop_store.get_state(conn, "alive_ms"),
        *(loop_store.get_state(conn, "last_ts") or {}).values(),
    ]
    return max((int(ms) for ms in found if ms is not None), default=0)


def moved_steps(conn: sqlite3.Connection, after: int) -> list[tuple[int, int, int]]:
    """Steps that were dated anew since: a number that grows, the step, its event time before."""
    return [(n, step, at) for n, step, at in loop_store.get_state(conn, MOVED) or [] if n > after]


def _note_moved(conn: sqlite3.Connection, steps: list[tuple[int, int]]) -> None:
    known = loop_store.get_state(conn, MOVED) or []
    first = known[-1][0] + 1 if known else 1
    found = [[first + i, step, at] for i, (step, at) in enumerate(steps)]
    loop_store.set_state(conn, MOVED, [*known, *found][-MOVED_MOST:])


def put_right(conn: sqlite3.Connection, now_ms: int) -> int:
    """Inside a transaction, with a clock that is believed: how many moments were in the future."""
    limit = now_ms + SLACK_MS
    steps = conn.execute("SELECT * FROM alarm_event WHERE stored > ?", (limit,)).fetchall()
    for row in steps:
        data = json.loads(row["data"])
        if "until" in data:
            data["until"] = now_ms + data["until"] - row["stored"]
        conn.execute(
            "UPDATE alarm_event SET stored=?, at=min(at, ?), data=? WHERE id=?",
            (now_ms, now_ms, json.dumps(data), row["id"]),
        )
    alarms = {row["alarm"] for row in steps}
    if alarms:
        _note_moved(conn, [(row["id"], row["at"]) for row in steps if row["at"] > now_ms])
        for ident, alarm in alarm_book.rebuilt(conn).items():
            if ident in alarms:
                alarm_book.put(conn, alarm)
    moved = len(steps)
    for table, column, least in (
        ("message", "made", limit),
        ("message", "done", limit),
        ("attempt", "at", limit),
        ("delivery", "next_ms", limit + CANDIDATE_MS),
        ("candidate", "due", limit + CANDIDATE_MS),
    ):
        moved += conn.execute(
            f"UPDATE {table} SET {column}=? WHERE {column} > ?",  # noqa: S608
            (now_ms, least),
        ).rowcount
    if moved:
        log.warning("the clock was put back: %d moments of alarms lay in the future", moved)
    return moved
