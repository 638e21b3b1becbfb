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

from kahriz_gateway.intake.books import Account, Books
from kahriz_gateway.intake.store import NewRow, insert_rows
from kahriz_wire.messages import Row

Refused = tuple[int | None, str]  # the number of a row, where it has one, and why

_RANK: Mapping[str | None, int] = {"unk": 0, "dated": 1, "est": 2, None: 3}
_in_order = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def values_text(row: Row) -> str:
    """The measured values alone, always in the same order."""
    if all(type(value) is float for value in row.values.values()):  # keys are words: no escapes
        return "{" + ",".join([f'"{k}":{v!r}' for k, v in sorted(row.values.items())]) + "}"
    return _in_order(row.values)


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
    rows: Sequence[Row],
    received: int | None,
) -> list[Refused]:
    """Store good rows of one journal inside the open transaction; returns what is in conflict."""
    account = books.account(node, journal)
    ledger = books.ledger(node, journal)
    fresh: list[NewRow] = []
    conflicts: list[Refused] = []
    for row in rows:
        ts, tq = row.ts, row.tq
        if ts is None:
            ts = date_by_hello(account, row.up_s, row.boot)
            tq = "unk" if ts is None else "dated"
        new = (node, journal, row.n, ts, tq, row.up_s, row.boot, row.q, received, values_text(row))
        if ledger.lacks(row.n):
            ledger.hold(row.n)
            fresh.append(new)
            continue
        stands = conn.execute(
            "SELECT rev, ts, tq, body FROM reading WHERE node=? AND journal=? AND n=?",
            (node, journal, row.n),
        ).fetchone()
        if stands is None:  # it had only been closed
            insert_rows(conn, [new])
            books.arrived_after_all(node, journal, row.n)
        else:
            why = _meets(conn, row, ts, tq, stands)
            conflicts += [(row.n, why)] if why else []
    insert_rows(conn, fresh)
    return conflicts


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
    row: Row,
    ts: int | None,
    tq: str | None,
    stands: tuple[int, int | None, str | None, str],
) -> str | None:
    """A row whose number is taken by `stands` (rev, ts, tq, body): why a conflict, or None."""
    rev, old_ts, old_tq, body = stands
    if json.loads(body) != row.values:
        return f"row {row.n}: conflict, other values under the same number"
    if _RANK[tq] > _RANK[old_tq]:
        conn.execute(
            "UPDATE reading SET rev=(SELECT max(rev) + 1 FROM reading), ts=?, tq=?, up_s=?,"
            " boot=?, q=?, times=times+1 WHERE rev=?",
            (ts, tq, row.up_s, row.boot, row.q, rev),
        )
        return None
    if tq is None and old_ts != ts:
        return f"row {row.n}: conflict, another synced time under the same number"
    conn.execute("UPDATE reading SET times=times+1 WHERE rev=?", (rev,))
    return None
