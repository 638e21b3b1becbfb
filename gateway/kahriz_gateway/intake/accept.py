# SPDX-License-Identifier: MIT
"""What one message does to the store: rows and hellos in, bad bytes into quarantine.

Nothing here commits: the caller holds the transaction, asks `receipt()` after its commit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from kahriz_gateway.clock import AHEAD_MS, EARLIEST_MS, Clock
from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.books import Books, Key
from kahriz_gateway.intake.newcomers import Newcomers
from kahriz_gateway.intake.plain import plain_rows
from kahriz_gateway.intake.probe import DOCTOR, Probe
from kahriz_gateway.intake.rows import Refused, date_waiting, put_rows
from kahriz_gateway.intake.store import get_meta, notice
from kahriz_gateway.orders.errands import Errands
from kahriz_wire import ranges, topics
from kahriz_wire.checks import MS_MOST
from kahriz_wire.messages import (
    Receipt,
    Row,
    WireError,
    decode_ack,
    decode_birth,
    decode_hello,
    decode_rows,
    encode_receipt,
)

DAY_MS = 86_400_000
UPS_MOST = 4_096  # topics known to be those of rows; who draws more journals is read in full
REASON_MOST = 300  # letters; the message itself is beside it


class Accept:
    """The gateway's judgement of messages. `known(node)` says whether a node is one of ours."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        site: str,
        known: Callable[[str], bool],
        clock: Clock,
        earliest_ms: int = EARLIEST_MS,
    ) -> None:
        self._conn = conn
        self._site = site
        self._known = known
        self._clock = clock
        self._earliest_ms = earliest_ms
        self._store = get_meta(conn, "store") or ""
        self.books = Books(conn)
        self.errands = Errands(conn, site)
        self._newcomers = Newcomers(conn, clock)
        self._probe = Probe(conn, site, self._store)
        self._ups: dict[str, Key] = {}

    def message(
        self, topic: str, payload: bytes, retained: bool = False, waited: bool = False
    ) -> Key | None:
        """Take one message in; returns the (node, journal) that a receipt is due to.

        A hello that may have `waited` on its way dates nothing.
        """
        received = self._clock.now_ms() if self._clock.trusted() else None
        up = self._ups.get(topic)
        if up is not None and not retained and self._plain(up, payload, received):
            return up
        self.books.flush()
        try:
            return self._judge(topic, payload, retained, received, waited)
        except WireError as error:
            quarantine.put(self._conn, received, topic, payload, str(error))
        return None

    def _plain(self, key: Key, payload: bytes, received: int | None) -> bool:
        """Take in an `up` of plain rows that are all new; False when there is more to it."""
        node, journal = key
        latest = MS_MOST if received is None else received + AHEAD_MS
        rows = plain_rows(payload, self._earliest_ms, latest)
        if not rows or not self._known(node):
            return False
        if not self.books.ledger(node, journal).hold_new([row[0] for row in rows]):
            return False
        self.books.store(node, journal, received, rows)
        return True

    def receipt(self, key: Key, max_rows: int | None = None) -> tuple[str, bytes] | None:
        """Topic and bytes of what can be said to a node now; None while it has said no hello."""
        node, journal = key
        if node == DOCTOR:
            return self._probe.receipt(journal)
        account = self.books.account(node, journal)
        if account.ledger.s is None:
            return None
        upto, missing = account.ledger.statement()
        receipt = Receipt(account.ledger.s, journal, self._store, upto, missing)
        receipt.max_rows = max_rows
        receipt.now = self._clock.now_ms() if self._clock.trusted() else None
        receipt.birth = account.birth_rev is not None and account.birth_rev != self._birth(node)
        self.errands.into(receipt, node)
        return topics.of(self._site, node, "receipt"), encode_receipt(receipt)

    def _judge(
        self, name: str, payload: bytes, retained: bool, received: int | None, waited: bool
    ) -> Key | None:
        topic = topics.parse(name)
        if topic.site != self._site:
            raise WireError("topic, site", f"expected {self._site}")
        if retained and topic.kind in ("hello", "up", "ack"):
            return None  # nobody's: a retained one is news to no one
        if topic.node == DOCTOR:
            return self._probe.heard(topic.kind, payload, received)
        if topic.node == topics.GATEWAY and topic.kind == "hello":
            return None  # a sounding, see waiting.py
        if not self._known(topic.node):
            raise WireError("node", f"{topic.node} is not in the plan; add a point or a deployment")
        if topic.kind == "up":
            self._newcomers.admit(topic.node, topic.rest)
            if len(self._ups) < UPS_MOST:
                self._ups[name] = topic.node, topic.rest
            return self._up(name, topic.node, topic.rest, payload, received)
        if topic.kind == "hello":
            return self._hello(topic.node, payload, received, waited)
        if topic.kind == "ack":
            return self._ack(topic.node, payload, received)
        if topic.kind == "birth" and payload:
            decode_birth(payload)
            self._conn.execute(
                "INSERT OR REPLACE INTO birth(node, received, body) VALUES(?,?,?)",
                (topic.node, received, payload.decode()),
            )
        return None

    def _up(self, name: str, node: str, journal: str, payload: bytes, received: int | None) -> Key:
        good, unreadable = decode_rows(payload)
        numbers = [row.n for row in good] + [row.n for row in unreadable if row.n is not None]
        self.books.bear(node, journal, ranges.of(numbers))
        latest = self._clock.now_ms() + AHEAD_MS if self._clock.trusted() else None
        judged = [(row, self._implausible(row, latest)) for row in good]
        refused: list[Refused] = [(row.n, why) for row, why in judged if why is not None]
        refused += [(each.n, each.why) for each in unreadable]
        plausible = [row for row, why in judged if why is None]
        conflicts = put_rows(self._conn, self.books, node, journal, plausible, received)
        if refused or conflicts:
            self._set_aside(name, node, journal, payload, refused, conflicts, received)
        return node, journal

    def _implausible(self, row: Row, latest: int | None) -> str | None:
        if row.ts is None:
            return None
        if row.ts < self._earliest_ms:
            return f"row {row.n}: a time before this program was written"
        if latest is not None and row.ts > latest:
            return f"row {row.n}: a time more than a day ahead"
        return None

    def _set_aside(
        self,
        topic: str,
        node: str,
        journal: str,
        payload: bytes,
        refused: list[Refused],
        conflicts: list[Refused],
        received: int | None,
    ) -> None:
        """Keep the message as it came; a row with a number is receipted, its bytes are safe now."""
        numbers = [n for n, _ in refused + conflicts if n is not None]
        reason = "; ".join(dict.fromkeys(why for _, why in refused + conflicts))[:REASON_MOST]
        quarantine.put(self._conn, received, topic, payload, reason, min(numbers, default=None))
        for n, _ in refused:
            if n is not None:
                self.books.close(node, journal, n, n, "quarantine", received)

    def _hello(self, node: str, payload: bytes, received: int | None, waited: bool) -> Key:
        hello = decode_hello(payload)
        self._newcomers.admit(node, hello.journal)
        journals = [
            journal
            for (journal,) in self._conn.execute(
                "SELECT journal FROM session WHERE node=? ORDER BY rowid", (node,)
            )
        ]
        if journals and hello.journal not in journals:
            for old in journals:
                self.books.close(node, old, 1, 0xFFFFFFFF, "replaced", received)
            detail = f"journal {hello.journal} after {journals[-1]}: new flash or another board"
            notice(self._conn, received, node, "journal_replaced", detail)
        elif journals and hello.journal != journals[-1]:
            self.books.reopen(node, hello.journal, "replaced")
            self._twin(node, hello.journal, journals[-1], received)
        self.books.hello(node, hello, payload.decode(), received, waited)
        self.errands.begin(node)
        date_waiting(self._conn, node, hello.journal, self.books.account(node, hello.journal))
        return node, hello.journal

    def _twin(self, node: str, one: str, other: str, received: int | None) -> None:
        last = self._conn.execute(
            "SELECT max(at) FROM notice WHERE node=? AND kind='twin'", (node,)
        ).fetchone()[0]
        if received is None or last is None or received - last > DAY_MS:
            detail = f"journals {one} and {other} take turns: two boards with one node id"
            notice(self._conn, received, node, "twin", detail)

    def _ack(self, node: str, payload: bytes, received: int | None) -> Key:
        ack = decode_ack(payload)
        self._newcomers.admit(node, ack.journal)
        self.books.bear(node, ack.journal, [[a, b] for a, b, _ in ack.gone])
        for a, b, reason in ack.gone:
            self.books.close(node, ack.journal, a, b, reason, received)
        self.errands.answered(node, ack, received)
        return node, ack.journal

    def _birth(self, node: str) -> int | None:
        row = self._conn.execute("SELECT body FROM birth WHERE node=?", (node,)).fetchone()
        return None if row is None else json.loads(row[0])["rev"]
