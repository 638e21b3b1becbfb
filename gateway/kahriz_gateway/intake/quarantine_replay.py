# SPDX-License-Identifier: MIT
"""Quarantined messages tried again, after a mended program or a node put into the plan.

Safe beside a running intake: SQLite lets one of the two write at a time, and intake reads its
ledgers again when it sees that somebody else has written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.accept import Accept


def replay(
    conn: sqlite3.Connection, accept: Accept, ids: Iterable[int]
) -> tuple[list[int], list[quarantine.Kept]]:
    """Ids that are stored now, and what still cannot be read with its (new) reason."""
    stored: list[int] = []
    left: list[quarantine.Kept] = []
    for kept in quarantine.listed(conn, ids):
        conn.execute("BEGIN IMMEDIATE")
        accept.books.forget()
        try:
            quarantine.remove(conn, kept.id)
            accept.message(kept.topic, kept.body, waited=True)
            accept.books.flush()
            again = quarantine.same(conn, kept)
            accept.books.save(kept.received_ms)
            conn.execute("COMMIT")
        except BaseException:
            conn.execute("ROLLBACK")
            raise
        if again is None:
            stored.append(kept.id)
        else:  # rows of it that can be read now are stored; the bytes stay as they came
            left.append(again)
    return stored, left
