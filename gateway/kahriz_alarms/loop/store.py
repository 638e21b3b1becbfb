# SPDX-License-Identifier: MIT
"""The ground of a store of alarms: transactions, small states, cursors, steps of a schema.

Functions here run inside the caller's transaction; nothing commits behind its back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class NewerStoreError(Exception):
    """A store that a newer program has written: in words, with the mend."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes; autocommit, so that BEGIN is always visible."""
    conn = sqlite3.connect(str(path), timeout=20, isolation_level=None, check_same_thread=False)
    conn.row_factory = sqlite3.Row
    return conn


def make_durable(conn: sqlite3.Connection) -> None:
    """What is committed is on the disk, also after the power was cut."""
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")


def migrate(conn: sqlite3.Connection, path: Path, steps: Sequence[str]) -> int:
    """Bring the schema up to date, each step whole or not at all; the number of steps taken."""
    version = int(conn.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        raise NewerStoreError(
            f"{path} was written by a newer Kahriz Monitor (schema {version}, this program knows "
            f"{len(steps)}): install that version again, or give another --data folder."
        )
    for number, step in enumerate(steps[version:], version + 1):
        try:
            conn.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version={number}; COMMIT;")
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
    return len(steps) - version


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
