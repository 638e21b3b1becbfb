# SPDX-License-Identifier: MIT
"""What a person does to an alarm from outside of the loop: the command line and the HTTP API."""

from __future__ import annotations

import sqlite3
from typing import Any

from kahriz_alarms import states
from kahriz_alarms.alarm import Alarm
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store

# What the broadcast channels want to hear of a step taken here: they look at the store itself.
TELLS = {"log": ("closed",), "mqtt": ("acknowledged", "closed")}
ADVISORY = "advisory"


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
    closed gives it its cause."""
    with village_store.transaction(conn):
        alarm = alarm_book.known(conn, ident)
        if alarm.kind == ADVISORY and alarm.open:  # everybody is told of its end
            raise states.StateError("an advisory ends by `kahriz alarm advisory end`")
        if what == "closed" and not alarm.open:
            what = "explained"
        return village_alarms.step(conn, alarm, what, now_ms, TELLS, now_ms, who, note, data)
