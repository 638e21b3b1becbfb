# SPDX-License-Identifier: MIT
"""Quarantine: bytes that could not be read, kept with the reason, and tried again after a mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

BODY_MOST = 16_384  # bytes kept of one message, four times what the contract allows for one
NOISE_MOST = 2_000  # messages kept that nobody was receipted for (unknown nodes, garbage)
_TRIM_EVERY = 64


@dataclass(frozen=True, slots=True)
class Kept:
    """One message or row in quarantine; `n` is set where its node was given a receipt."""

    id: int
    received_ms: int | None
    topic: str
    body: bytes
    reason: str
    n: int | None
    times: int


def put(
    conn: sqlite3.Connection,
    received: int | None,
    topic: str,
    body: bytes,
    reason: str,
    n: int | None = None,
) -> None:
    """Keep bytes; the same bytes on the same topic are kept once and counted."""
    conn.execute(
        "INSERT INTO quarantine(received, topic, body, reason, n, digest) VALUES(?,?,?,?,?,?)"
        " ON CONFLICT(digest) DO UPDATE SET times=times+1, received=excluded.received,"
        " reason=excluded.reason, n=coalesce(n, excluded.n)",
        (received, topic, body[:BODY_MOST], reason, n, _digest(topic, body)),
    )
    newest = conn.execute("SELECT max(id) FROM quarantine").fetchone()[0]
    if newest % _TRIM_EVERY == 0:
        conn.execute(
            "DELETE FROM quarantine WHERE n IS NULL AND id <= (SELECT id FROM quarantine"
            " WHERE n IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (NOISE_MOST,),
        )


def same(conn: sqlite3.Connection, kept: Kept) -> Kept | None:
    """The entry of the very bytes of `kept`, when there is one."""
    row = conn.execute(
        "SELECT id, received, topic, body, reason, n, times FROM quarantine WHERE digest=?",
        (_digest(kept.topic, kept.body),),
    ).fetchone()
    return None if row is None else Kept(*row)


def listed(conn: sqlite3.Connection, ids: Iterable[int] = ()) -> list[Kept]:
    """What is kept, oldest first; only these ids when some are given."""
    wanted = set(ids)
    rows = conn.execute(
        "SELECT id, received, topic, body, reason, n, times FROM quarantine ORDER BY id"
    )
    return [Kept(*row) for row in rows if not wanted or row[0] in wanted]


def remove(conn: sqlite3.Connection, ident: int) -> None:
    """It could be read after all, and is stored where it belongs."""
    conn.execute("DELETE FROM quarantine WHERE id=?", (ident,))


def _digest(topic: str, body: bytes) -> bytes:
    return blake2b(topic.encode() + b"\0" + body, digest_size=16).digest()
