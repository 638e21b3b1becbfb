# SPDX-License-Identifier: MIT
"""committee.db: what people entered, never changed afterwards; a correction is a new entry.

The same table is the record of who changed what. A person who asks to be forgotten keeps the
entries and loses the name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_alarms.loop.store import version_of, write_ahead

FILE = "committee.db"
VERSION = 1
FORGOTTEN = "–"
END = (1 << 63) - 1  # past every entry
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    replaces INTEGER REFERENCES entry (id)
);
CREATE INDEX entry_kind ON entry (kind, id);
CREATE TABLE pin (
    person TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    hash TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    generation INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE once (token TEXT PRIMARY KEY, entry INTEGER NOT NULL REFERENCES entry (id))
    WITHOUT ROWID;
CREATE TABLE attempt (place TEXT PRIMARY KEY, failures INTEGER NOT NULL, until INTEGER NOT NULL)
    WITHOUT ROWID;
"""


class BookError(Exception):
    """The book cannot be opened; the message names it and the mend."""


class EmptyBookError(BookError):
    """A book that is just being made, or whose maker was cut off: nothing stands in it yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody entered; `body` belongs to its kind."""

    id: int
    at: int
    who: str
    role: str
    kind: str
    body: Mapping[str, Any]
    replaces: int | None


def open_book(data_dir: Path) -> sqlite3.Connection:
    """Open the book for writing; it is made when it is not there."""
    path = data_dir / FILE
    try:
        conn = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        conn.row_factory = sqlite3.Row
        write_ahead(conn)
        conn.execute("PRAGMA synchronous=FULL")
        _prepare(conn, path)
    except sqlite3.Error as error:
        raise BookError(f"{path}: {error}; put back the file of the last backup") from error
    return conn


def look(data_dir: Path) -> sqlite3.Connection:
    """Open the book for looking only: a full or read-only disk does not keep anybody from that."""
    path = data_dir / FILE
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        conn = sqlite3.connect(uri, uri=True, timeout=10.0, isolation_level=None)
        conn.row_factory = sqlite3.Row
        if version_of(conn) == 0:
            conn.close()
            raise EmptyBookError(
                f"{path} is empty: it is made whole when somebody enters something"
            )
        conn.execute("SELECT 1 FROM entry LIMIT 1")
    except sqlite3.Error as error:
        raise BookError(f"{path}: {error}; put back the file of the last backup") from error
    return conn


def _prepare(conn: sqlite3.Connection, path: Path) -> None:
    conn.execute("BEGIN IMMEDIATE")
    found = version_of(conn)
    if found > VERSION:
        conn.execute("ROLLBACK")
        raise BookError(f"{path} is of version {found}, newer than this program: upgrade it")
    if found == 0:
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                conn.execute(statement)
        conn.execute(f"PRAGMA user_version={VERSION}")
    conn.execute("COMMIT")
    path.chmod(0o600)


def write(
    conn: sqlite3.Connection,
    at_ms: int,
    who: str,
    role: str,
    kind: str,
    body: Mapping[str, Any],
    replaces: int | None = None,
    once: str | None = None,
) -> int:
    """Write one entry and say its number; `once` is the mark of a form that counts only once."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        row = conn.execute(
            "INSERT INTO entry (at, who, role, kind, body, replaces) VALUES (?,?,?,?,?,?)",
            (at_ms, who, role, kind, json.dumps(body, ensure_ascii=False), replaces),
        )
        if once:
            conn.execute("INSERT OR REPLACE INTO once VALUES (?,?)", (once, row.lastrowid))
    except BaseException:
        conn.execute("ROLLBACK")
        raise
    conn.execute("COMMIT")
    return int(row.lastrowid or 0)


def kept(conn: sqlite3.Connection, once: str, since_ms: int | None = None) -> int | None:
    """The entry of a form that was kept already: a phone sends again when the answer was lost.

    With `since_ms` only an entry that was written from then on.
    """
    row = conn.execute(
        "SELECT o.entry FROM once o JOIN entry e ON e.id = o.entry WHERE o.token=? AND e.at>=?",
        (once, -(1 << 62) if since_ms is None else since_ms),
    ).fetchone()
    return None if row is None else int(row[0])


def entries(
    conn: sqlite3.Connection,
    *kinds: str,
    newest: int | None = None,
    live: bool = False,
    upto: int | None = None,
) -> list[Entry]:
    """Entries of some kinds (all without any), oldest first; `live`: without replaced ones.

    `upto`: as the book stood when this was its last entry.
    """
    last = END if upto is None else upto
    marks = ",".join("?" * len(kinds))
    where, given = ["id <= ?"], [last]
    if live:
        where.append(
            "id NOT IN (SELECT replaces FROM entry WHERE replaces IS NOT NULL AND id <= ?)"
        )
        given.append(last)
    if kinds:
        where.append(f"kind IN ({marks})")
    rows = conn.execute(
        f"SELECT * FROM entry WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",  # noqa: S608
        (*given, *kinds, -1 if newest is None else newest),
    )
    return [_entry(row) for row in rows][::-1]


def newest(conn: sqlite3.Connection) -> int:
    """The number of the last entry, 0 in an empty book."""
    return int(conn.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()[0])


def meta(conn: sqlite3.Connection, key: str, make: str) -> str:
    """A value that is made once and kept."""
    asked = "SELECT value FROM meta WHERE key=?"
    row = conn.execute(asked, (key,)).fetchone()
    if row is None:
        conn.execute("INSERT OR IGNORE INTO meta VALUES (?,?)", (key, make))
        row = conn.execute(asked, (key,)).fetchone()
    return str(row["value"])


def drop_key(path: Path) -> None:
    """Take the key that signs sessions out of a copy: whoever finds the copy cannot enter."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA secure_delete=1")
        conn.execute("DELETE FROM meta WHERE key='key'")


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["id"],
        row["at"],
        row["who"],
        row["role"],
        row["kind"],
        json.loads(row["body"]),
        row["replaces"],
    )
