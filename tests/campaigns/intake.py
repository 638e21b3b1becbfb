# SPDX-License-Identifier: MIT
"""The gateway's own judgement and ledger, in this process, behind a broker of one node."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.books import Key, missing_by_rows
from kahriz_gateway.intake.store import open_store
from kahriz_gateway.orders import node_config, ota
from kahriz_wire import topics


class TrueClock:
    """The world's time; `trust` goes while the gateway has not been told the time itself."""

    def __init__(self) -> None:
        self.ms = 0
        self.trust = True

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return self.trust

    def not_before(self, ms: int) -> None:
        assert ms <= self.ms, "the world's time goes forward"


class LoneIntake:
    """Stores what the node says, one transaction for what arrived together, receipts after it."""

    def __init__(self, folder: Path, site: str, clock: TrueClock) -> None:
        self._site = site
        self._clock = clock
        self._path = folder / "readings.db"
        self._open()
        self._due: dict[Key, None] = {}
        self._begun = False
        self._copy: sqlite3.Connection | None = None
        self.receipts = 0
        self.kept: dict[str, bytes] = {}  # retained by the broker

    def _open(self) -> None:
        self.conn = open_store(self._path, self._site)
        self.conn.execute("PRAGMA synchronous=OFF")  # this machine's power is not the question
        self._accept = Accept(self.conn, self._site, lambda node: True, self._clock)

    def said(self, topic: str, payload: bytes) -> None:
        """One message of the node."""
        if topic.split("/")[4] == "status":
            return
        if not self._begun:
            self.conn.execute("BEGIN")
            self._begun = True
        key = self._accept.message(topic, payload)
        if key is not None:
            self._due[key] = None

    def answers(self) -> list[tuple[str, bytes]]:
        """Commit, then the receipts that are due."""
        if not self._begun:
            return []
        self._accept.books.save(self._clock.now_ms() if self._clock.trust else None)
        self.conn.execute("COMMIT")
        self._begun = False
        due, self._due = self._due, {}
        found = [self._accept.receipt(key) for key in due]
        self.receipts += len(found)
        answers = [answer for answer in found if answer is not None]
        errands: list[tuple[str, bytes]] = []
        for topic, payload, retain in self._accept.errands.outbox():
            if retain:
                self.kept[topic] = payload
            else:
                errands.append((topic, payload))
        return errands + answers

    def update(self, node: str, release: bytes) -> None:
        """Offer a program from now on."""
        found = ota.put(self.conn, release, None)
        ota.offer(self.conn, node, found.number, None)

    def configure(self, node: str, body: dict[str, Any]) -> None:
        """Wish for another configuration."""
        node_config.put(self.conn, node, body, None)

    def runs(self, node: str) -> node_config.Runs:
        """What the node's newest hello says of itself."""
        return node_config.runs(self.conn, node)

    def back_up(self) -> None:
        """Somebody copies the store."""
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        self.conn.backup(self._copy)

    def restore(self, store: str) -> bool:
        """The card died: the copy of that day, under a new store id."""
        if self._copy is None:
            return False
        self._copy.backup(self.conn)
        self.conn.execute("UPDATE meta SET value=? WHERE key='store'", (store,))
        self.conn.commit()
        self.conn.close()
        self._open()
        return True

    def journals(self) -> list[tuple[str, str]]:
        """(node, journal) of all that ever said hello."""
        return list(self.conn.execute("SELECT node, journal FROM session"))

    def rows(self) -> list[tuple[str, int, int | None, str | None, dict[str, float], int | None]]:
        """(journal, n, ts, tq, values, received) in order of n."""
        found = self.conn.execute(
            "SELECT journal, n, ts, tq, body, received FROM reading ORDER BY journal, n"
        )
        return [(j, n, ts, tq, json.loads(body), at) for j, n, ts, tq, body, at in found]

    def closed(self) -> list[tuple[str, int, int, str]]:
        """(journal, a, b, reason)."""
        return list(self.conn.execute("SELECT journal, a, b, reason FROM closed ORDER BY a"))

    def missing(self) -> list[list[int]]:
        """What is missing now, by the rows themselves and by the ledger, which must agree."""
        found: list[list[int]] = []
        for node, journal in self.journals():
            ledger = self._accept.books.account(node, journal).ledger
            counted = missing_by_rows(self.conn, node, journal, ledger.top)
            assert counted == ledger.missing, f"ledger {ledger.missing}, rows {counted}"
            found += counted
        return found

    def count(self, sql: str) -> int:
        """A number out of the store."""
        return int(self.conn.execute(sql).fetchone()[0])

    def close(self) -> None:
        self.conn.close()


def topic_of(site: str, node: str, kind: str) -> str:
    """A topic of the contract."""
    return topics.of(site, node, kind)
