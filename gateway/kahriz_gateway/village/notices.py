# SPDX-License-Identifier: MIT
"""What intake noted for people (the table `notice`), as alarms that a channel can tell.

A notice is a moment, an alarm has an end: each kind stays open for the time named here after its
newest notice. Closed by a person earlier, it comes back only with a newer notice.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_water.site import Plan

MINUTE_MS = 60_000
DAY_MS = 86_400_000
NEWEST = 200  # notices looked at

# notice -> (alarm, how long it stays open after the newest notice)
KINDS = {
    "twin": ("twin", 2 * DAY_MS),  # noted once a day while it goes on
    "second_gateway": ("second_gateway", 30 * MINUTE_MS),  # noted every ten minutes
    "journal_replaced": ("journal_replaced", 7 * DAY_MS),
    "ledger_recounted": ("ledger_recounted", 7 * DAY_MS),
    "store_refused": ("store", 6 * 60 * MINUTE_MS),
    "restored": ("restored", 7 * DAY_MS),
    "clock_went_back": ("clock_went_back", 7 * DAY_MS),
}


@dataclass(frozen=True, slots=True)
class Word:
    """An alarm that a notice asks for, and the moment of the notice."""

    kind: str
    place: str
    at: int
    detail: str


def words(
    readings: sqlite3.Connection, plan: Plan, undated: dict[str, int], now_ms: int
) -> list[Word]:
    """What is to be said now, the newest of each kind and place.

    A notice that was written while the clock was not set has no time; `undated` keeps the moment
    at which it was first seen here, and is changed in place.
    """
    found: dict[tuple[str, str], Word] = {}
    rows = readings.execute(
        "SELECT id, at, node, kind, detail FROM notice ORDER BY id DESC LIMIT ?", (NEWEST,)
    ).fetchall()
    for ident, at, node, kind, detail in reversed(rows):
        if kind not in KINDS:
            continue
        alarm, keeps_ms = KINDS[kind]
        when = undated.setdefault(str(ident), now_ms) if at is None else at
        if now_ms - when <= keeps_ms:
            place = place_of(plan, node)
            found[alarm, place] = Word(alarm, place, when, detail)
    for gone in set(undated) - {str(row[0]) for row in rows}:
        del undated[gone]
    return list(found.values())


def place_of(plan: Plan, node: str | None) -> str:
    """The point at which a node hangs; the site when it is about the gateway itself."""
    if node is None:
        return plan.id
    return next((p.id for p in plan.points if p.node == node), node)
