# SPDX-License-Identifier: MIT
"""Rows into the store: new, repeated, re-dated, late after all, or in conflict with what stands.

The cases of a row whose (node, journal, n) is already there:
1. other measured values: a conflict, kept in quarantine; what stands stays
2. a better time (unknown < dated by us < estimated < synced): the time is replaced, new `rev`
3. two synced times that differ: a conflict
4. else a repeat: counted in `times`
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from kahriz_wire import rows as wire_rows
from kahriz_wire.messages import Row

from kahriz_gateway import quarantine
from kahriz_gateway.intake_books import Account, Books

_RANK: Mapping[str | None, int] = {"unk": 0, "dated": 1, "est": 2, None: 3}
_INSERT = (
    "INSERT INTO reading(node, journal, n, ts, tq, up_s, boot, q, received, body)"
    " VALUES(?,?,?,?,?,?,?,?,?,?)"
)


def values_text(row: Row) -> str:
    """The measured values alone, always in the same order."""
    return json.dumps(row.values, sort_keys=True, separators=(",", ":"))


def date_by_hello(account: Account, up_s: int | None, boot: int | None) -> int | None:
    """When a row without a time was measured, by the hello of the same boot; None: not known."""
    if account.hello_ms is None or account.up_s is None or up_s is None:
        return None
    if boot is None or boot != account.boot or up_s > account.up_s:
        return None
    return account.hello_ms - (account.up_s - up_s) * 1000


def put_rows(
    conn: sqlite3.Connection,
    books: Books,
    node: str,
    journal: str,
    topic: str,
    rows: Sequence[Row],
    received: int | None,
) -> None:
    """Store good rows of one journal inside the open transaction."""
    account = books.account(node, journal)
    ledger = books.ledger(node, journal)
    fresh = []
    for row in rows:
        ts, tq = row.ts, row.tq
        if ts is None:
            ts = date_by_hello(account, row.up_s, row.boot)
            tq = "unk" if ts is None else "dated"
        new = (node, journal, row.n, ts, tq, row.up_s, row.boot, row.q, received, values_text(row))
        if ledger.lacks(row.n):
            ledger.hold(row.n)
            fresh.append(new)
        elif _meets(conn, topic, row, ts, tq, received, (node, journal)):
            conn.execute(_INSERT, new)
            books.arrived_after_all(node, journal, row.n)
    conn.executemany(_INSERT, fresh)


def date_waiting(conn: sqlite3.Connection, node: str, journal: str, account: Account) -> None:
    """Date the stored rows that waited for a hello of their boot."""
    waiting = conn.execute(
        "SELECT rev, up_s, boot FROM reading WHERE node=? AND journal=? AND boot=? AND ts IS NULL",
        (node, journal, account.boot),
    ).fetchall()
    for rev, up_s, boot in waiting:
        ts = date_by_hello(account, up_s, boot)
        if ts is not None:
            conn.execute(
                "UPDATE reading SET rev=(SELECT max(rev) + 1 FROM reading), ts=?, tq='dated'"
                " WHERE rev=?",
                (ts, rev),
            )


def _meets(
    conn: sqlite3.Connection,
    topic: str,
    row: Row,
    ts: int | None,
    tq: str | None,
    received: int | None,
    key: tuple[str, str],
) -> bool:
    """A row whose number is taken; True when it was only closed and may be stored after all."""
    stands = conn.execute(
        "SELECT rev, ts, tq, body FROM reading WHERE node=? AND journal=? AND n=?", (*key, row.n)
    ).fetchone()
    if stands is None:
        return True
    rev, old_ts, old_tq, body = stands
    if json.loads(body) != row.values:
        reason = "conflict: the same number with other values"
        quarantine.put(conn, received, topic, _bytes(row), reason, row.n)
    elif _RANK[tq] > _RANK[old_tq]:
        conn.execute(
            "UPDATE reading SET rev=(SELECT max(rev) + 1 FROM reading), ts=?, tq=?, up_s=?,"
            " boot=?, q=?, times=times+1 WHERE rev=?",
            (ts, tq, row.up_s, row.boot, row.q, rev),
        )
    elif tq is None and old_ts != ts:
        reason = "conflict: the same number with another synced time"
        quarantine.put(conn, received, topic, _bytes(row), reason, row.n)
    else:
        conn.execute("UPDATE reading SET times=times+1 WHERE rev=?", (rev,))
    return False


def _bytes(row: Row) -> bytes:
    return f"[{wire_rows.encode(row)}]".encode()
