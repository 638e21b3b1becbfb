# SPDX-License-Identifier: MIT
"""readings.db: every reading for ever, the ledger, quarantine. Intake alone writes it.

`open_store(path, site)` for the writer, `read_store(path)` for everybody else, `gaps(conn)` for
what is missing now. A new row and a re-dated row get a new `rev`: followers read
`WHERE rev > ? ORDER BY rev`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from kahriz_alarms.loop.store import statements, transaction, write_ahead

# One entry is one step of the schema; steps are only ever appended.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    -- ts NULL while unknown; tq NULL = synced, 'est', 'unk', 'dated' (by the gateway);
    -- body = the values alone, JSON; times = how often it arrived
    CREATE TABLE reading(rev INTEGER PRIMARY KEY, node TEXT NOT NULL, journal TEXT NOT NULL,
        n INTEGER NOT NULL, ts INTEGER, tq TEXT, up_s INTEGER, boot INTEGER, q INTEGER NOT NULL,
        received INTEGER, times INTEGER NOT NULL DEFAULT 1, body TEXT NOT NULL,
        UNIQUE(node, journal, n));
    CREATE INDEX undated ON reading(node, journal, boot) WHERE ts IS NULL;

    -- the newest hello of each journal; the newest of a node has the highest rowid
    CREATE TABLE session(node TEXT NOT NULL, journal TEXT NOT NULL, s TEXT NOT NULL,
        first INTEGER NOT NULL, next INTEGER NOT NULL, received INTEGER, body TEXT NOT NULL,
        PRIMARY KEY(node, journal));
    -- one line a session, for battery, signal and heap over the years
    CREATE TABLE hello(rev INTEGER PRIMARY KEY, node TEXT NOT NULL, received INTEGER,
        body TEXT NOT NULL);
    CREATE TABLE birth(node TEXT PRIMARY KEY, received INTEGER, body TEXT NOT NULL) WITHOUT ROWID;

    -- the ledger: what nobody has any more, with the reason; what is missing now
    CREATE TABLE closed(node TEXT NOT NULL, journal TEXT NOT NULL, a INTEGER NOT NULL,
        b INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER,
        PRIMARY KEY(node, journal, a)) WITHOUT ROWID;
    CREATE TABLE gap(node TEXT NOT NULL, journal TEXT NOT NULL, a INTEGER NOT NULL,
        b INTEGER NOT NULL, since INTEGER, PRIMARY KEY(node, journal, a)) WITHOUT ROWID;

    -- bytes as they came; n is set where the row was receipted
    CREATE TABLE quarantine(id INTEGER PRIMARY KEY, received INTEGER, topic TEXT NOT NULL,
        body BLOB NOT NULL, reason TEXT NOT NULL, n INTEGER, times INTEGER NOT NULL DEFAULT 1,
        digest BLOB NOT NULL UNIQUE);
    CREATE TABLE notice(id INTEGER PRIMARY KEY, at INTEGER, node TEXT, kind TEXT NOT NULL,
        detail TEXT NOT NULL);
    """,
    """
    -- what a node shall run with: the largest rev counts; body = its config.json, JSON
    CREATE TABLE node_config(node TEXT NOT NULL, rev INTEGER NOT NULL, at INTEGER,
        body TEXT NOT NULL, PRIMARY KEY(node, rev)) WITHOUT ROWID;
    -- what a node shall do once; sent = in how many receipts; ok NULL while there is no answer
    CREATE TABLE command(id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL,
        op TEXT NOT NULL, args TEXT NOT NULL, at INTEGER, sent INTEGER NOT NULL DEFAULT 0,
        answered INTEGER, ok INTEGER, why TEXT, n INTEGER);
    -- signed programs, and which node shall have which
    CREATE TABLE release(number INTEGER PRIMARY KEY, fw TEXT NOT NULL, at INTEGER,
        body BLOB NOT NULL);
    CREATE TABLE offer(node TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER) WITHOUT ROWID;
    """,
    """
    -- journals whose newest hello may have waited on its way: it dates nothing
    CREATE TABLE waited(node TEXT NOT NULL, journal TEXT NOT NULL,
        PRIMARY KEY(node, journal)) WITHOUT ROWID;
    -- times that rows of `rev` came with while ours was not believed, and that lay in the future
    CREATE TABLE taken_back(rev INTEGER PRIMARY KEY, ts INTEGER NOT NULL, tq TEXT);
    """,
)

NewRow = tuple[
    str, str, int, int | None, str | None, int | None, int | None, int, int | None, str
]  # node, journal, n, ts, tq, up_s, boot, q, received, body
PlainRow = tuple[int, int, int, str]  # n, ts, q, body: of a node whose clock is right
_INTO = (
    "INSERT INTO reading(node, journal, n, ts, tq, up_s, boot, q, received, body)"
    " VALUES(?,?,?,?,?,?,?,?,?,?)"
)
_AT_ONCE = 48  # rows a statement: it is the step into SQLite that costs, not the row

_TROUBLE = ("FULL", "IOERR", "BUSY", "LOCKED", "READONLY", "CANTOPEN", "NOMEM", "PROTOCOL")
BUSY_S = 20  # `gateway quarantine replay` writes beside intake, for milliseconds


class StoreError(Exception):
    """A store that cannot be used as it is: in words, with the mend."""


class EmptyStoreError(StoreError):
    """A store that is just being made, or whose maker was cut off: nothing stands in it yet."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Readings a node has given numbers to and nobody has seen, since when it is known."""

    node: str
    journal: str
    a: int
    b: int
    since_ms: int | None

    @property
    def count(self) -> int:
        return self.b - self.a + 1


def open_store(path: Path, site: str) -> sqlite3.Connection:
    """Open readings.db for writing, making or migrating it; its site must be ours."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        conn = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )  # one thread at a time: whoever serves it need not be who opened it
        write_ahead(conn)
        conn.execute("PRAGMA synchronous=FULL")
        migrate(conn, path)
        _own(conn, path, site)
    except sqlite3.DatabaseError as error:
        raise StoreError(in_words(path, error)) from error
    except OSError as error:
        raise no_folder(path.parent, error) from error
    return conn


def no_folder(folder: Path, error: OSError) -> StoreError:
    """What to say where a folder of the stores cannot be written."""
    return StoreError(f"cannot write {folder} ({error.strerror}): {_OTHER}")


def read_store(path: Path) -> sqlite3.Connection:
    """Open readings.db for reading only; it must exist and be of a schema we know."""
    if not path.exists():
        raise StoreError(f"no store in {path}: has `kahriz gateway intake` run with this --data?")
    try:
        conn = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_S,
            check_same_thread=False,
        )
        if _check_version(conn, path, len(MIGRATIONS)) == 0 or get_meta(conn, "site") is None:
            conn.close()
            raise EmptyStoreError(f"{path} is empty: intake makes it whole at its next start")
    except sqlite3.DatabaseError as error:
        raise StoreError(in_words(path, error)) from error
    return conn


def migrate(conn: sqlite3.Connection, path: Path, steps: Sequence[str] = MIGRATIONS) -> int:
    """Bring the schema up to date, each step whole or not at all; the number of steps taken.

    A new store takes all steps at once: whoever looks meets none, an empty one or a whole one.
    """
    taken = 0
    while (known := _check_version(conn, path, len(steps))) < len(steps):
        upto = known + 1 if known else len(steps)
        with transaction(conn):
            if _check_version(conn, path, len(steps)) != known:  # another program was quicker
                continue
            for statement in statements("".join(steps[known:upto])):
                conn.execute(statement)
            put_meta(conn, "schema", str(upto))
        taken += upto - known
    return taken


def get_meta(conn: sqlite3.Connection, key: str) -> str | None:
    row = conn.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
    return None if row is None else str(row[0])


def put_meta(conn: sqlite3.Connection, key: str, value: str) -> None:
    conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?,?)", (key, value))


def insert_rows(conn: sqlite3.Connection, rows: Sequence[NewRow]) -> None:
    """Store readings that are surely new, inside the open transaction."""
    conn.executemany(_INTO, rows)


def insert_plain(
    conn: sqlite3.Connection,
    node: str,
    journal: str,
    received: int | None,
    rows: Sequence[PlainRow],
) -> None:
    """The same for the plain rows of one journal, at less than half the cost."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        given = [node, journal, received, *chain.from_iterable(part)]
        conn.execute(_plain_insert(len(part)), given)


@lru_cache(_AT_ONCE)
def _plain_insert(rows: int) -> str:
    """Node, journal and time are bound once; a statement is kept by SQLite for each size."""
    own = (f"(?1,?2,?3,?{i},?{i + 1},?{i + 2},?{i + 3})" for i in range(4, 4 + 4 * rows, 4))
    return "INSERT INTO reading(node, journal, received, n, ts, q, body) VALUES" + ",".join(own)


def last_received_ms(conn: sqlite3.Connection) -> int | None:
    """When the newest row was stored: the clock cannot be before that."""
    row = conn.execute(
        "SELECT received FROM reading WHERE received IS NOT NULL ORDER BY rev DESC LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]


def gaps(conn: sqlite3.Connection) -> list[Gap]:
    """What is missing now, oldest journal and number first."""
    rows = conn.execute(
        "SELECT node, journal, a, min(b, next - 1), since FROM gap JOIN session"
        " USING(node, journal) WHERE a < next ORDER BY node, journal, a"
    )
    return [Gap(*row) for row in rows]


def notice(
    conn: sqlite3.Connection, at: int | None, node: str | None, kind: str, detail: str
) -> None:
    """Keep what a person should know; the village makes alarms of it."""
    conn.execute(
        "INSERT INTO notice(at, node, kind, detail) VALUES(?,?,?,?)", (at, node, kind, detail)
    )


def is_trouble(error: Exception) -> bool:
    """The disk's or another program's fault, to be tried again, and not the data's."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return isinstance(error, sqlite3.OperationalError) and any(
        name.startswith(f"SQLITE_{kind}") for kind in _TROUBLE
    )


def is_damage(error: Exception) -> bool:
    """A file with pages that are none, as a dying SD card leaves it: no message is to blame."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


_OTHER = "choose another --data folder or mend its rights"


def _check_version(conn: sqlite3.Connection, path: Path, known: int) -> int:
    made = conn.execute("SELECT 1 FROM sqlite_master WHERE name='meta'").fetchone()
    version = int(get_meta(conn, "schema") or 0) if made else 0
    if version > known:
        raise StoreError(
            f"{path} was written by a newer Kahriz Monitor (schema {version}, this program knows "
            f"{known}): install that version again, or give another --data folder"
        )
    return version


def _own(conn: sqlite3.Connection, path: Path, site: str) -> None:
    if get_meta(conn, "site") is None:
        with transaction(conn):  # who is first has named it
            named = [("site", site), ("store", os.urandom(4).hex())]
            conn.executemany("INSERT OR IGNORE INTO meta(key, value) VALUES(?,?)", named)
    owner = get_meta(conn, "site")
    if owner != site:
        raise StoreError(
            f"{path} holds the readings of {owner!r}, not of {site!r}: give another --data folder"
        )


def in_words(path: Path, error: Exception) -> str:
    """What to say of a store that cannot be opened, with the mend."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return (
            f"{path} is damaged ({text}): move it away; a new store is filled up again "
            "from the nodes"
        )
    if "locked" in text:
        return f"{path} is locked by another program: stop the second gateway"
    return f"{path}: {text}; {_OTHER}"
