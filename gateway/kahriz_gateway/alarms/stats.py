# SPDX-License-Identifier: MIT
"""How long repairs take and how often nothing was there, by kahriz and by kind of alarm."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from kahriz_alarms import kinds
from kahriz_alarms.alarm import Alarm
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post

HOUR_MS = 3_600_000
NOTHING = "nothing_there"


@dataclass(frozen=True, slots=True)
class Row:
    """`repaired` counts what the water has proved; a ring for nothing is no repair."""

    alarms: int
    open: int
    repaired: int
    median_hours_to_repair: float | None
    nothing_there: int


def hours_to_repair(alarm: Alarm) -> float | None:
    """From the beginning to the proof of what a person has mended; None while there is none."""
    mended = alarm.proved and alarm.fixed is not None and alarm.cause != NOTHING
    if not mended or alarm.closed is None or not kinds.of(alarm.kind).proof:
        return None
    return round((alarm.closed - alarm.raised) / HOUR_MS, 2)


def row(alarms: Iterable[Alarm]) -> Row:
    found = list(alarms)
    hours = [h for a in found if (h := hours_to_repair(a)) is not None]
    return Row(
        alarms=len(found),
        open=sum(a.open for a in found),
        repaired=len(hours),
        median_hours_to_repair=median(hours) if hours else None,
        nothing_there=sum(a.cause == NOTHING for a in found),
    )


def stats(conn: sqlite3.Connection, now_ms: int) -> dict[str, Any]:
    """The whole kahriz, each kind, and the messages of the last seven days by person and sort."""
    found = [alarm_book.alarm_of(r) for r in conn.execute("SELECT * FROM alarm")]
    names = sorted({a.kind for a in found})
    return {
        "kahriz": asdict(row(found)),
        "kinds": {name: asdict(row(a for a in found if a.kind == name)) for name in names},
        "messages_in_7_days": alarm_post.counts(conn, now_ms),
    }
