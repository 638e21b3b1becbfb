# SPDX-License-Identifier: MIT
"""Whether a turn of irrigation speaks against the proof of a repair.

A rota that goes round the clock is the usual state: the normal loss was learned with it. What was
out of the plan in the last day, a rota that is new, or a turn that runs where there are hours
without one, takes water of its own: until that is over nothing is proved.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from kahriz_alarms import tree
from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.committee.turn_book import Schedule
from kahriz_water.site import Plan

DAY_MS = 86_400_000


def planned(conn: sqlite3.Connection, place: str, plan: Plan, upto_ms: int) -> str | None:
    """In words, for the place of an alarm; None where turns do not matter."""
    file = conn.execute("PRAGMA database_list").fetchone()["file"]
    path = Path(file).with_name(book.FILE)
    if not file or not path.exists():
        return None
    try:
        with contextlib.closing(book.look(path.parent)) as entered:
            agreed = turn_book.schedule(entered)
    except book.EmptyBookError:
        return None
    except (book.BookError, sqlite3.Error, ValueError, KeyError) as error:
        return f"the turns cannot be read ({error})"
    return _reason(agreed, upto_ms) if agreed.point in _points(place, plan) else None


def _points(place: str, plan: Plan) -> set[str | None]:
    """The ends of a reach, and what is measured where water leaves it on purpose."""
    offtakes = {o.point for o in plan.offtakes if o.reach == place and o.point is not None}
    return {*tree.points_of(place, plan), *offtakes}


def _reason(agreed: Schedule, upto_ms: int) -> str | None:
    start_ms = upto_ms - DAY_MS
    turns = agreed.between(start_ms, upto_ms)
    corrected = next((t for t in turns if t.corrected), None)
    if corrected is not None:
        return f"a turn out of the plan ({corrected.plot})"
    if any(start_ms < rota.start_ms <= upto_ms for rota in agreed.rotas):
        return "a new rota of turns"
    given = sum(min(t.end_ms, upto_ms) - max(t.start_ms, start_ms) for t in turns)
    now = agreed.now(upto_ms)
    return f"the turn of {now.plot}" if now is not None and given < DAY_MS else None
