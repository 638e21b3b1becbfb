# SPDX-License-Identifier: MIT
"""What has arrived goes into the store in one transaction, and what makes us fail goes alone.

A message that makes our own program fail is kept in quarantine; a ledger that contradicts its rows
is counted again.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from kahriz_gateway.clock import Clock
from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.books import Key
from kahriz_gateway.intake.doubts import Doubts
from kahriz_gateway.intake.store import (
    StoreError,
    in_words,
    is_damage,
    is_trouble,
    notice,
    open_store,
)
from kahriz_gateway.intake.waiting import HELLO, Waiting
from kahriz_gateway.mqtt import Arrival
from kahriz_wire import topics
from kahriz_wire.errors import WireError

log = logging.getLogger(__name__)


class Groups:
    """The store that groups of messages are committed to; `accept` judges each message."""

    def __init__(
        self,
        path: Path,
        site: str,
        known: Callable[[str], bool],
        clock: Clock,
        earliest_ms: int,
        waiting: Waiting,
    ) -> None:
        self._path = path
        self._site = site
        self._known = known
        self._clock = clock
        self._earliest_ms = earliest_ms
        self._waiting = waiting
        self._open()

    def _open(self) -> None:
        self.conn = open_store(self._path, self._site)
        known, clock, earliest_ms = self._known, self._clock, self._earliest_ms
        try:
            self.accept = Accept(self.conn, self._site, known, clock, earliest_ms)
            self._doubts = Doubts(self.conn)
            self._seen_version = self._data_version()
        except sqlite3.DatabaseError as error:
            self._refuse_damage(error)
            raise

    def reopen(self) -> None:
        """The disk refused us: begin with a new connection."""
        self.conn.close()
        self._open()

    def note(self, kind: str, words: str, node: str | None = None) -> None:
        """For a person."""
        notice(self.conn, self._now(), node, kind, words)

    def commit(self, group: list[Arrival]) -> list[Key]:
        """Store a group in one transaction; the journals that a receipt is due to."""
        try:
            return self._transaction(group)
        except Exception as error:
            self._refuse_damage(error)
            self._undo()
            if is_trouble(error):
                raise
            log.error("a message failed, storing this group one by one: %r", error)
        due: dict[Key, None] = {}
        for arrival in group:
            due.update(dict.fromkeys(self._alone(arrival)))
        return list(due)

    def _transaction(self, group: list[Arrival]) -> list[Key]:
        self.conn.execute("BEGIN IMMEDIATE")
        if self._data_version() != self._seen_version:  # somebody replayed a quarantined message
            self.accept.books.forget()
            self._seen_version = self._data_version()
        self._doubts.look(self._now())
        due: dict[Key, None] = {}
        for arrival in group:
            waited = arrival.topic.endswith(HELLO) and self._waiting.too_long(arrival)
            key = self.accept.message(arrival.topic, arrival.payload, arrival.retained, waited)
            if key is not None:
                due[key] = None
        self.accept.books.save(self._now())
        self.conn.execute("COMMIT")
        return list(due)

    def _alone(self, arrival: Arrival) -> list[Key]:
        """A message of its own, once more when the ledger was mended; else it is kept as it is."""
        tries = 0
        while True:
            try:
                return self._transaction([arrival])
            except Exception as error:
                self._refuse_damage(error)
                self._undo()
                if is_trouble(error):
                    raise
                failure, tries = error, tries + 1
            odd = tries == 1 and isinstance(failure, sqlite3.IntegrityError)
            if not (odd and self._mend(arrival.topic)):
                break
        log.error("%s: our own fault, kept in quarantine: %r", arrival.topic, failure)
        reason = f"fault of this program: {failure!r}"
        self.conn.execute("BEGIN IMMEDIATE")
        quarantine.put(self.conn, self._now(), arrival.topic, arrival.payload, reason)
        self.conn.execute("COMMIT")
        return []

    def _mend(self, name: str) -> bool:
        """The gaps on record contradict the rows: count the rows again."""
        try:
            topic = topics.parse(name)
        except WireError:
            return False
        self.conn.execute("BEGIN IMMEDIATE")
        self.accept.books.recount(topic.node, topic.rest)
        self.accept.books.save(self._now())
        detail = f"journal {topic.rest}: the ledger did not fit the rows and was counted again"
        self.note("ledger_recounted", detail, topic.node)
        self.conn.execute("COMMIT")
        log.error("%s: %s", topic.node, detail)
        return True

    def _refuse_damage(self, error: Exception) -> None:
        """StoreError when the file itself is broken: no message is to blame, none is put aside."""
        if is_damage(error):
            with contextlib.suppress(sqlite3.Error):
                self.conn.execute("ROLLBACK")
            raise StoreError(in_words(self._path, error)) from error

    def _undo(self) -> None:
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        self.accept.books.forget()
        self._doubts.forget()

    def _now(self) -> int | None:
        return self._clock.now_ms() if self._clock.trusted() else None

    def _data_version(self) -> int:
        return int(self.conn.execute("PRAGMA data_version").fetchone()[0])
