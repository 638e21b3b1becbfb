# SPDX-License-Identifier: MIT
"""The reserved test node: its hello goes to the disk and is receipted like any other's.

It proves broker, access list, intake and store in one question. It holds no rows, so it leaves
nothing in the ledger but the session it last had.
"""

from __future__ import annotations

import sqlite3

from kahriz_gateway.intake.store import put_meta
from kahriz_wire import topics
from kahriz_wire.messages import Receipt, decode_hello, encode_receipt

DOCTOR = "doctor"  # no node of a plan may be called so
META = "probe"  # where the store keeps the last session of the test node


class Probe:
    """Hello in, receipt out, for the test node alone."""

    def __init__(self, conn: sqlite3.Connection, site: str, store: str) -> None:
        self._conn = conn
        self._site = site
        self._store = store
        self._sessions: dict[str, str] = {}

    def heard(self, kind: str, payload: bytes, received: int | None) -> tuple[str, str] | None:
        """Store the session of a hello; whatever else the test node says is nobody's."""
        if kind != "hello":
            return None
        hello = decode_hello(payload)
        put_meta(self._conn, META, f"{hello.s} {received or ''}".strip())
        self._sessions = {hello.journal: hello.s}
        return DOCTOR, hello.journal

    def receipt(self, journal: str) -> tuple[str, bytes] | None:
        """The answer once the session is committed."""
        s = self._sessions.pop(journal, None)
        if s is None:
            return None
        body = encode_receipt(Receipt(s, journal, self._store, 0, []))
        return topics.of(self._site, DOCTOR, "receipt"), body
