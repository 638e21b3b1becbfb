# SPDX-License-Identifier: MIT
"""The ledgers in readings.db: read when first asked for, written in the transaction of the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from kahriz_gateway.intake.ledger import GAPS_MOST, Ledger, Range
from kahriz_gateway.intake.store import PlainRow, insert_plain
from kahriz_wire import ranges
from kahriz_wire.errors import WireError
from kahriz_wire.messages import Hello

Key = tuple[str, str]  # node, journal


@dataclass(slots=True)
class Account:
    """One journal's ledger and what its newest hello said."""

    ledger: Ledger
    saved: set[tuple[int, int]] = field(default_factory=set)
    birth_rev: int | None = None
    up_s: int | None = None
    boot: int | None = None
    # Arrival of that hello; absent while the clock is not trusted, or when it may have waited.
    hello_ms: int | None = None


class Books:
    """All accounts of a store. `save()` belongs into the open transaction, `forget()` after a

    rollback or when somebody else has written.
    """

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._accounts: dict[Key, Account] = {}
        self._dirty: set[Key] = set()
        # in the ledger already, to be stored together: a node's arrived when its first one did
        self._new_rows: dict[Key, tuple[int | None, list[PlainRow]]] = {}

    def flush(self) -> None:
        """Store the new rows of this transaction: before anything is asked of the table."""
        if self._new_rows:
            waiting, self._new_rows = self._new_rows, {}
            for (node, journal), (received, rows) in waiting.items():
                insert_plain(self._conn, node, journal, received, rows)

    def store(self, node: str, journal: str, received: int | None, rows: list[PlainRow]) -> None:
        """Take these rows, new and in the ledger, to be stored with the others of the node."""
        self._new_rows.setdefault((node, journal), (received, []))[1].extend(rows)

    def forget(self) -> None:
        self._new_rows.clear()
        self._accounts.clear()
        self._dirty.clear()

    def account(self, node: str, journal: str) -> Account:
        key = (node, journal)
        if key not in self._accounts:
            self._accounts[key] = self._load(key)
        return self._accounts[key]

    def ledger(self, node: str, journal: str) -> Ledger:
        """The ledger, to be changed: its gaps are written at the next save."""
        self._dirty.add((node, journal))
        return self.account(node, journal).ledger

    def bear(self, node: str, journal: str, spans: Sequence[Range]) -> None:
        """WireError when to hold these would break the journal into more gaps than are kept."""
        if self.account(node, journal).ledger.too_many(spans):
            raise WireError(
                f"journal {journal}",
                f"in more than {GAPS_MOST} pieces: these numbers wait until others have come; look "
                "at the board, and revoke its certificate if it is not in your hands",
            )

    def hello(
        self, node: str, hello: Hello, body: str, received: int | None, waited: bool = False
    ) -> None:
        """A session begins: what lies below `first` is closed as lost."""
        account = self.account(node, hello.journal)
        if hello.s != account.ledger.s:
            self._conn.execute(
                "INSERT INTO hello(node, received, body) VALUES(?,?,?)", (node, received, body)
            )
        account.birth_rev = hello.birth
        account.up_s, account.boot = hello.up_s, hello.boot
        account.hello_ms = None if waited else received
        note = "INSERT OR IGNORE INTO waited(node, journal) VALUES(?,?)"
        drop = "DELETE FROM waited WHERE node=? AND journal=?"
        self._conn.execute(note if waited else drop, (node, hello.journal))
        self._conn.execute(
            "INSERT OR REPLACE INTO session(node, journal, s, first, next, received, body)"
            " VALUES(?,?,?,?,?,?,?)",
            (node, hello.journal, hello.s, hello.first, hello.next, received, body),
        )
        self.reopen(node, hello.journal, "below_first", hello.first)
        lost = self.ledger(node, hello.journal).hello(hello.s, hello.first, hello.next)
        self._put_closed(node, hello.journal, lost, "below_first", received)

    def close(self, node: str, journal: str, a: int, b: int, reason: str, at: int | None) -> None:
        """Nobody has a…b any more: what of it is missing is closed with the reason."""
        lost = self.ledger(node, journal).close(a, b)
        self._put_closed(node, journal, lost, reason, at)

    def reopen(self, node: str, journal: str, reason: str, a: int = 1) -> None:
        """The node has it after all: what was closed for this reason from `a` on is asked for."""
        rows = self._conn.execute(
            "SELECT a, b, at FROM closed WHERE node=? AND journal=? AND reason=? AND b>=?",
            (node, journal, reason, a),
        ).fetchall()
        for low, high, at in rows:
            self._conn.execute(
                "DELETE FROM closed WHERE node=? AND journal=? AND a=?", (node, journal, low)
            )
            self._put_closed(node, journal, [[low, a - 1]], reason, at)
            self.ledger(node, journal).reopen([[max(a, low), high]])

    def arrived_after_all(self, node: str, journal: str, n: int) -> None:
        """A row came that had been closed: it is stored, so it is not lost."""
        row = self._conn.execute(
            "SELECT a, b, reason, at FROM closed WHERE node=? AND journal=? AND a<=?"
            " ORDER BY a DESC LIMIT 1",
            (node, journal, n),
        ).fetchone()
        if row is None or row[1] < n:
            return
        a, b, reason, at = row
        self._conn.execute(
            "DELETE FROM closed WHERE node=? AND journal=? AND a=?", (node, journal, a)
        )
        self._put_closed(node, journal, [[a, n - 1], [n + 1, b]], reason, at)

    def recount(self, node: str, journal: str) -> None:
        """Trust the rows, not the gaps on record."""
        ledger = self.ledger(node, journal)
        ledger.missing = missing_by_rows(self._conn, node, journal, ledger.top)

    def save(self, at: int | None) -> None:
        """Write new rows, and the gaps that changed; a gap keeps the day it was first seen."""
        self.flush()
        for key in self._dirty:
            account = self._accounts[key]
            now = {(a, b) for a, b in account.ledger.missing}
            if now == account.saved:
                continue
            since = {
                (a, b): when
                for a, b, when in self._conn.execute(
                    "SELECT a, b, since FROM gap WHERE node=? AND journal=?", key
                )
                if (a, b) not in now
            }
            self._conn.executemany(
                "DELETE FROM gap WHERE node=? AND journal=? AND a=?",
                [(*key, a) for a, _ in account.saved - now],
            )
            for a, b in now - account.saved:
                seen = [when for (c, d), when in since.items() if c <= b and a <= d and when]
                self._conn.execute(
                    "INSERT INTO gap(node, journal, a, b, since) VALUES(?,?,?,?,?)",
                    (*key, a, b, min(seen, default=at)),
                )
            account.saved = now
        self._dirty.clear()

    def _put_closed(
        self, node: str, journal: str, spans: list[Range], reason: str, at: int | None
    ) -> None:
        self._conn.executemany(
            "INSERT INTO closed(node, journal, a, b, reason, at) VALUES(?,?,?,?,?,?)",
            [(node, journal, a, b, reason, at) for a, b in spans if a <= b],
        )

    def _load(self, key: Key) -> Account:
        session = self._conn.execute(
            "SELECT s, first, next, received, body FROM session WHERE node=? AND journal=?", key
        ).fetchone()
        gaps = self._conn.execute(
            "SELECT a, b FROM gap WHERE node=? AND journal=? ORDER BY a", key
        ).fetchall()
        top = self._conn.execute(
            "SELECT max(coalesce((SELECT max(n) FROM reading WHERE node=?1 AND journal=?2), 0),"
            " coalesce((SELECT max(b) FROM closed WHERE node=?1 AND journal=?2), 0),"
            " coalesce((SELECT max(b) FROM gap WHERE node=?1 AND journal=?2), 0))",
            key,
        ).fetchone()[0]
        waited = "SELECT 1 FROM waited WHERE node=? AND journal=?"
        missing = [[a, b] for a, b in gaps]
        saved = {(a, b) for a, b in gaps}
        if session is None:
            return Account(Ledger(top, missing), saved)
        s, first, following, received, body = session
        hello = json.loads(body)
        return Account(
            Ledger(max(top, following - 1), missing, s, first, following),
            saved,
            hello.get("birth"),
            hello.get("up_s"),
            hello.get("boot"),
            None if self._conn.execute(waited, key).fetchone() else received,
        )


def missing_by_rows(conn: sqlite3.Connection, node: str, journal: str, top: int) -> list[Range]:
    """What is missing of 1…top by the rows themselves, for a look that trusts no summary."""
    held = [
        [a, b]
        for a, b in conn.execute(
            "SELECT min(n), max(n) FROM (SELECT n, n - row_number() OVER (ORDER BY n) AS run"
            " FROM reading WHERE node=? AND journal=?) GROUP BY run",
            (node, journal),
        )
    ]
    closed = conn.execute("SELECT a, b FROM closed WHERE node=? AND journal=?", (node, journal))
    held += [[a, b] for a, b in closed]
    return ranges.minus([[1, top]], held)
