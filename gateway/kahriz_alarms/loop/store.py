# SPDX-License-Identifier: MIT
"""The ground of a store of alarms: transactions, small states, cursors, steps of a schema.

Functions here run inside the caller's transaction; nothing commits behind its back.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUSY_S = 20  # another program writes for milliseconds; a slow card for seconds


class NewerStoreError(Exception):
    """A store that a newer program has written: in words, with the mend."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes; autocommit, so that BEGIN is always visible."""
    conn = sqlite3.connect(str(path), timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    conn.row_factory = sqlite3.Row
    return conn


def make_durable(conn: sqlite3.Connection) -> None:
    """What is committed is on the disk, also after the power was cut."""
    write_ahead(conn)
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")


def write_ahead(conn: sqlite3.Connection) -> None:
    """Readers and a writer side by side; for this change SQLite itself waits for nobody."""
    end_s = time.monotonic() + BUSY_S
    while True:
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # another program makes the same store
            if "locked" not in str(error) or time.monotonic() > end_s:
                raise
            time.sleep(0.01)


def migrate(conn: sqlite3.Connection, path: Path, steps: Sequence[str]) -> int:
    """Bring the schema up to date, each step whole or not at all; the number of steps taken.

    A new store takes all steps at once: whoever looks meets none, an empty one or a whole one.
    """
    taken = 0
    while (version := version_of(conn)) < len(steps):
        upto = version + 1 if version else len(steps)
        with transaction(conn):
            if version_of(conn) != version:  # another program was quicker
                continue
            for statement in statements("".join(steps[version:upto])):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version={upto}")
        taken += upto - version
    if version > len(steps):
        raise NewerStoreError(
            f"{path} was written by a newer Kahriz Monitor (schema {version}, this program knows "
            f"{len(steps)}): install that version again, or give another --data folder."
        )
    return taken


def version_of(conn: sqlite3.Connection) -> int:
    """Steps that the schema has taken; 0 where the store is empty, or just being made."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def statements(script: str) -> Iterator[str]:
    """Each by itself: `executescript` would commit what is open."""
    begin = end = 0
    while end := script.find(";", end) + 1:
        if sqlite3.complete_statement(script[begin:end]):
            yield script[begin:end]
            begin = end
    if script[begin:].strip():
        yield script[begin:]


def get_cursor(conn: sqlite3.Connection, name: str) -> int:
    row = conn.execute("SELECT rev FROM cursor WHERE name=?", (name,)).fetchone()
    return 0 if row is None else int(row["rev"])


def set_cursor(conn: sqlite3.Connection, name: str, rev: int) -> None:
    conn.execute(
        "INSERT INTO cursor(name, rev) VALUES(?,?)"
        " ON CONFLICT(name) DO UPDATE SET rev=excluded.rev",
        (name, rev),
    )


def get_state(conn: sqlite3.Connection, key: str) -> Any:
    """A JSON value kept under a key, None when there is none."""
    row = conn.execute("SELECT value FROM state WHERE key=?", (key,)).fetchone()
    return None if row is None else json.loads(row["value"])


def set_state(conn: sqlite3.Connection, key: str, value: Any) -> None:
    conn.execute(
        "INSERT INTO state(key, value) VALUES(?,?)"
        " ON CONFLICT(key) DO UPDATE SET value=excluded.value",
        (key, json.dumps(value)),
    )


@contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """All of it on the disk, or nothing."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:  # a full disk rolls back by itself
            conn.execute("ROLLBACK")
        raise
