# SPDX-License-Identifier: MIT
"""Turns for an output: which plot had the water, from when, how many m³. Codes of plots, no names.

A turn is told once it is over and the point that measures it has said something after it. It is
told again when its readings come late or are computed anew; when people correct a turn, what is
no longer so is withdrawn. The mark is the moment up to which the turns that are over are told.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.committee.turn_book import Schedule
from kahriz_gateway.outputs.influx_lines import FAIL, MISSING, TurnMark
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import Span
from kahriz_water.site import Point
from kahriz_water.totals import BOUNDS
from kahriz_water.turns import MEASURED, MINUTE_MS, Turn

WINDOW_MS = 30 * 86_400_000  # a step looks at no more, or years of turns would be one
PASS, SUSPECT = 1, 3

log = logging.getLogger(__name__)


class TellsTurns(Protocol):
    """An output that takes turns, and the points of its plan."""

    points: Mapping[str, Point]

    def write_turns(self, marks: Iterable[TurnMark]) -> None: ...


class TurnFollower:
    """Turns of one output and its marks; the village's store keeps them."""

    def __init__(self, name: str, output: TellsTurns, data_dir: Path) -> None:
        self._name = name
        self._output = output
        self._data_dir = data_dir
        self._complained = ""
        self._looked: tuple[object, Schedule, int] | None = None  # at the book as it is on the disk

    def step(self, conn: sqlite3.Connection) -> bool:
        """Tell what is over and not told yet, and what people have changed; whether there was."""
        agreed, newest = self._agreed()
        point = self._point(agreed)
        if agreed is None or point is None:
            return False
        told, seen = self._mark(conn), village_store.get_cursor(conn, self._book)
        first = self._first_entry(agreed)
        if newest != seen:
            told = self._withdraw(conn, agreed, told, seen)
        start = max(told, first - 1)
        upto = min(start + WINDOW_MS, _last_word(conn, point))
        marks = self._marks(conn, point, agreed, start, upto) if upto > start else []
        if marks:
            self._output.write_turns(marks)
        if newest == seen and upto <= told:
            return False
        self._move(conn, max(told, upto), newest)
        return True

    def again(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None:
        """Tell those turns once more whose readings have just been handed over."""
        agreed, _ = self._agreed()
        point = self._point(agreed)
        if agreed is None or point is None:
            return
        told = self._mark(conn)
        found = {
            turn
            for span in spans
            if span.point == point.id and span.a <= told
            for turn in agreed.between(span.a, min(span.b, told) + 1)
            if turn.end_ms <= told
        }
        if found:
            ordered = sorted(found, key=lambda turn: turn.start_ms)
            self._output.write_turns([mark_of(conn, point, turn) for turn in ordered])

    def from_(self, conn: sqlite3.Connection, since: int) -> None:
        """Inside a transaction: what is over since then comes again."""
        village_store.set_cursor(conn, self._turn, min(since, self._mark(conn)))

    def _withdraw(self, conn: sqlite3.Connection, agreed: Schedule, told: int, seen: int) -> int:
        """Take back what was told and is not so any more; from when on it is told anew."""
        with contextlib.closing(book.look(self._data_dir)) as entered:
            before = turn_book.schedule(entered, seen)
            changed = turn_book.touched_since(entered, seen)
        if changed is None:
            return told
        since = changed - 1  # the turn that ends there may be a longer one cut short
        now = {(turn.plot, turn.start_ms) for turn in agreed.between(since, told + 1)}
        gone = [
            turn
            for turn in before.between(since, told + 1)
            if turn.end_ms <= told and (turn.plot, turn.start_ms) not in now
        ]
        if gone:
            self._output.write_turns([TurnMark(turn.plot, turn.start_ms, MISSING) for turn in gone])
        return min(told, since)

    def _marks(
        self, conn: sqlite3.Connection, point: Point, agreed: Schedule, start: int, upto: int
    ) -> list[TurnMark]:
        over = (turn for turn in agreed.between(start, upto) if start < turn.end_ms <= upto)
        return [mark_of(conn, point, turn) for turn in over]

    def _agreed(self) -> tuple[Schedule | None, int]:
        """What people have entered, and the newest entry of the book."""
        stamp = self._stamp()
        if stamp is None:
            return None, 0
        if self._looked is not None and self._looked[0] == stamp:
            return self._looked[1:]
        try:
            with contextlib.closing(book.look(self._data_dir)) as conn:
                newest = book.newest(conn)  # before the entries: they can only be more
                self._looked = (stamp, turn_book.schedule(conn, newest), newest)
        except book.EmptyBookError:
            return None, 0
        except (book.BookError, sqlite3.Error, ValueError, LookupError, TypeError) as error:
            why = f"{book.FILE}: {error!r}"  # an entry of another program must not stop the rest
            if why != self._complained:
                log.warning("output %s: turns are not told: %s", self._name, why)
            self._complained = why
            return None, 0
        return self._looked[1:]

    def _stamp(self) -> object:
        """Changes with the book; None where there is no book."""
        path = self._data_dir / book.FILE
        found = []
        for each in (path, path.with_name(f"{path.name}-wal")):
            with contextlib.suppress(OSError):
                state = each.stat()
                found.append((each.name, state.st_mtime_ns, state.st_size, state.st_ino))
        return tuple(found) if path.exists() else None

    def _point(self, agreed: Schedule | None) -> Point | None:
        if agreed is None or agreed.point is None:
            return None
        return self._output.points.get(agreed.point)

    @staticmethod
    def _first_entry(agreed: Schedule) -> int:
        starts = [*(r.start_ms for r in agreed.rotas), *(t.start_ms for t in agreed.corrections)]
        return min(starts, default=0)

    @property
    def _turn(self) -> str:
        return f"{self._name}:turn"

    @property
    def _book(self) -> str:
        return f"{self._name}:book"

    def _mark(self, conn: sqlite3.Connection) -> int:
        return village_store.get_cursor(conn, self._turn)

    def _move(self, conn: sqlite3.Connection, told: int, newest: int) -> None:
        with village_store.transaction(conn):
            village_store.set_cursor(conn, self._turn, told)
            village_store.set_cursor(conn, self._book, newest)


def mark_of(conn: sqlite3.Connection, point: Point, turn: Turn) -> TurnMark:
    """A turn that is over, with its water and how much of its time was measured."""
    found = turn_book.measured(conn, point, turn, turn.end_ms)
    minutes = (turn.end_ms - turn.start_ms) / MINUTE_MS
    if found.m3 is None:
        return TurnMark(turn.plot, turn.start_ms, MISSING, minutes, coverage=0.0)
    q = PASS if found.coverage >= MEASURED else SUSPECT
    assert q < FAIL
    return TurnMark(
        turn.plot, turn.start_ms, q, minutes, found.m3, found.u_m3, round(found.coverage, 4)
    )


def _last_word(conn: sqlite3.Connection, point: Point) -> int:
    found = (village_store.last_value(conn, point.id, quantity) for quantity in BOUNDS)
    return max((value.ts for value in found if value is not None), default=0)
