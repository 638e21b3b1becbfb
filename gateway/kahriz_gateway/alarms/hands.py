# SPDX-License-Identifier: MIT
"""What a person does to an alarm from outside of the loop: the command line and the HTTP API."""

from __future__ import annotations

import sqlite3
from typing import Any

from kahriz_alarms import states
from kahriz_alarms.alarm import Alarm, Step
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.village import store as village_store

# What the broadcast channels want to hear of a step taken here: they look at the store itself.
TELLS = {"log": ("closed",), "mqtt": ("acknowledged", "closed")}
ADVISORY = "advisory"
AGAIN_MS = 300_000  # a program or a person that got no answer has tried again by then


def take(
    conn: sqlite3.Connection,
    ident: int,
    what: str,
    who: str,
    now_ms: int,
    note: str | None = None,
    data: dict[str, Any] | None = None,
) -> Alarm:
    """One step, whole or not at all; StateError when it cannot follow. `close` of one that is
    closed gives it its cause. The same step once more, by the same person in the same words a
    moment later, is the repeat of one whose answer was lost."""
    with village_store.transaction(conn):
        alarm = alarm_book.known(conn, ident)
        if alarm.kind == ADVISORY and alarm.open:  # everybody is told of its end
            raise states.StateError("an advisory ends by `kahriz alarm advisory end`")
        if what == "closed" and not alarm.open:
            what = "explained"
        step = Step(what, now_ms, now_ms, who, note, data or {})
        if any(_again(step, last) for last in alarm_book.steps(conn, ident)[-1:]):
            return alarm
        return alarm_book.record(conn, alarm, step, TELLS)


def _again(step: Step, last: Step) -> bool:
    """Whether it says no more than the last one; a shelf of the same length is the same."""
    same = (step.what, step.who, step.note) == (last.what, last.who, last.note)
    return same and _said(step) == _said(last) and 0 <= step.stored - last.stored <= AGAIN_MS


def _said(step: Step) -> dict[str, Any]:
    data = dict(step.data)
    if "until" in data:
        data["until"] -= step.stored
    return data
