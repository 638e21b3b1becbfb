# SPDX-License-Identifier: MIT
"""village.db: interpreted values, alarms and dated records. The village alone writes it.

`open_village(path)` for the writer, `open_village(path, read_only=True)` for page and outputs.
Functions here run inside the caller's transaction; nothing commits behind its back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from kahriz_alarms.loop import schema as loop_schema
from kahriz_alarms.loop import store as loop_store
from kahriz_alarms.loop.store import get_cursor as get_cursor
from kahriz_alarms.loop.store import get_state as get_state
from kahriz_alarms.loop.store import set_cursor as set_cursor
from kahriz_alarms.loop.store import set_state as set_state
from kahriz_alarms.loop.store import transaction as transaction
from kahriz_gateway.intake.store import EmptyStoreError, StoreError, is_trouble
from kahriz_gateway.records import schema as records_schema
from kahriz_gateway.village import schema as village_schema
from kahriz_gateway.village.changes import Moment, put_changed
from kahriz_water.value import Value as Value

# One entry is one step of the schema; steps are only ever appended.
MIGRATIONS: tuple[str, ...] = (
    loop_schema.ALARMS
    + """
CREATE TABLE value(point TEXT NOT NULL, quantity TEXT NOT NULL, ts INTEGER NOT NULL,
    value REAL NOT NULL, u REAL, q INTEGER NOT NULL,
    PRIMARY KEY(point, quantity, ts)) WITHOUT ROWID;
CREATE TABLE change(rev INTEGER PRIMARY KEY AUTOINCREMENT, point TEXT NOT NULL,
    quantity TEXT NOT NULL, ts INTEGER NOT NULL);
CREATE TABLE estimated(node TEXT NOT NULL, journal TEXT NOT NULL, n INTEGER NOT NULL,
    ts INTEGER NOT NULL, PRIMARY KEY(node, journal, n)) WITHOUT ROWID;
CREATE TABLE deployment(node TEXT NOT NULL, channel TEXT NOT NULL, point TEXT NOT NULL,
    from_ms INTEGER NOT NULL, to_ms INTEGER, zero_m REAL, span_m REAL, sound_speed TEXT,
    note TEXT NOT NULL DEFAULT '', PRIMARY KEY(node, channel, from_ms)) WITHOUT ROWID;
""",
    """
-- u_random: the part of u that is new with each reading; manual: 1 when a person read it
ALTER TABLE value ADD COLUMN u_random REAL;
ALTER TABLE value ADD COLUMN manual INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN role TEXT NOT NULL DEFAULT 'head';
-- dated records beside the deployments; structure, gaugings and runs are JSON
CREATE TABLE zero(node TEXT NOT NULL, channel TEXT NOT NULL, from_ms INTEGER NOT NULL,
    zero_m REAL NOT NULL, u_m REAL NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY(node, channel, from_ms)) WITHOUT ROWID;
CREATE TABLE rating(point TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER,
    structure TEXT NOT NULL, author TEXT NOT NULL, gaugings TEXT NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY(point, from_ms)) WITHOUT ROWID;
CREATE TABLE staff(point TEXT NOT NULL, at INTEGER NOT NULL, staff_m REAL NOT NULL,
    who TEXT NOT NULL, photo TEXT NOT NULL, note TEXT NOT NULL, computed_m REAL, zero_m REAL,
    PRIMARY KEY(point, at)) WITHOUT ROWID;
CREATE TABLE gauging(point TEXT NOT NULL, at INTEGER NOT NULL, method TEXT NOT NULL,
    runs TEXT NOT NULL, who TEXT NOT NULL, stage_m REAL, device_lps REAL, note TEXT NOT NULL,
    PRIMARY KEY(point, at, method)) WITHOUT ROWID;
""",
    loop_schema.ALARM_LOOP,
    village_schema.CHANGED_SPANS,
    records_schema.TWO_DEPTHS + records_schema.APPROVALS,
)


# A value has the columns in its own order.
_INTO = "INSERT INTO value(point, quantity, ts, value, u, q, u_random, manual) VALUES"
_ROW = "(?,?,?,?,?,?,?,?)"
# Values a statement: it is the step into SQLite that costs, not the value. A statement that touches
# more than 16 pages makes SQLite write a journal of its own: 2 MB a day with 48 values.
_AT_ONCE = 8
_WHERE_OTHER = (
    " ON CONFLICT(point, quantity, ts) DO UPDATE SET value=excluded.value, u=excluded.u,"
    " q=excluded.q, u_random=excluded.u_random, manual=excluded.manual"
    " WHERE (value, u, q, u_random, manual)"
    " IS NOT (excluded.value, excluded.u, excluded.q, excluded.u_random, excluded.manual)"
)


def open_village(path: Path, read_only: bool = False) -> sqlite3.Connection:
    """Open village.db, making it when it is new; autocommit, so that BEGIN is always visible."""
    target = f"{path.resolve().as_uri()}?mode=ro" if read_only else str(path)
    conn = sqlite3.connect(
        target, uri=read_only, timeout=20, isolation_level=None, check_same_thread=False
    )
    conn.row_factory = sqlite3.Row
    if read_only:
        if loop_store.version_of(conn) == 0:
            conn.close()
            raise EmptyStoreError(f"{path} is empty: the village makes it whole at its next start")
        return conn
    try:
        loop_store.make_durable(conn)
        migrate(conn, path)
    except sqlite3.DatabaseError as error:
        conn.close()
        if is_trouble(error):  # of the disk, and it may pass
            raise
        raise StoreError(
            f"{path} is damaged ({error}): move it away; values are computed again, records come"
            " back from a backup or by `kahriz gateway records import`"
        ) from error
    except BaseException:
        conn.close()
        raise
    return conn


def wants_new_start(conn: sqlite3.Connection, path: Path) -> bool:
    """Opened while the disk took no writes, which it takes again: SQLite goes on read-only here.

    All connections of a process share what SQLite knows of the file, so a new one does not help.
    """
    try:
        conn.execute("DELETE FROM state WHERE false")  # a write all the same
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:  # the low byte is the kind
            raise
        return all(_takes_writes(each) for each in path.parent.glob(f"{path.name}*"))
    return False


def _takes_writes(path: Path) -> bool:
    try:
        path.open("r+b").close()
    except OSError:
        return False
    return True


def migrate(conn: sqlite3.Connection, path: Path, steps: Sequence[str] = MIGRATIONS) -> int:
    """Bring the schema up to date, each step whole or not at all; the number of steps taken."""
    try:
        return loop_store.migrate(conn, path, steps)
    except loop_store.NewerStoreError as error:
        raise StoreError(str(error)) from error


def put_values(conn: sqlite3.Connection, values: Sequence[Value], final: bool = True) -> int:
    """Store values; how many differ from what stood there. Of a piece that differs outputs are told

    the whole, but not (`final` is False) while the time of the row is an estimate.
    """
    changed = 0
    told: list[Moment] = []
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        sql = f"{_INTO}{','.join([_ROW] * len(part))}{_WHERE_OTHER}"
        differ = conn.execute(sql, list(chain.from_iterable(part))).rowcount
        changed += differ
        if differ and final:
            told += [(v.point, v.ts) for v in part]
    if told:
        put_changed(conn, told)
    return changed


def delete_values(conn: sqlite3.Connection, points: Iterable[str], ts: int) -> None:
    """Take back what was stored under a time that turned out to be wrong."""
    for point in points:
        conn.execute("DELETE FROM value WHERE point=? AND ts=? AND manual=0", (point, ts))


def quantities_of(conn: sqlite3.Connection, point: str) -> list[str]:
    """What is measured or derived at a point: a few index hops, however long the history."""
    rows = conn.execute(
        "WITH RECURSIVE hop(x) AS (SELECT min(quantity) FROM value WHERE point=:p UNION ALL"
        " SELECT (SELECT min(quantity) FROM value WHERE point=:p AND quantity > x)"
        " FROM hop WHERE x IS NOT NULL) SELECT x FROM hop WHERE x IS NOT NULL",
        {"p": point},
    )
    return [r["x"] for r in rows]


def value_of(row: sqlite3.Row) -> Value:
    return Value(
        row["point"], row["quantity"], row["ts"], row["value"], row["u"], row["q"],
        row["u_random"], bool(row["manual"]),
    )  # fmt: skip


def values_between(
    conn: sqlite3.Connection, point: str, quantity: str, after_ms: int, upto_ms: int
) -> list[Value]:
    """What nodes measured with after_ms < ts <= upto_ms, in time order."""
    found = conn.execute(
        "SELECT * FROM value WHERE point=? AND quantity=? AND ts>? AND ts<=? AND manual=0"
        " ORDER BY ts",
        (point, quantity, after_ms, upto_ms),
    )
    return [value_of(r) for r in found]


def last_value(conn: sqlite3.Connection, point: str, quantity: str) -> Value | None:
    row = conn.execute(
        "SELECT * FROM value WHERE point=? AND quantity=? ORDER BY ts DESC LIMIT 1",
        (point, quantity),
    ).fetchone()
    return None if row is None else value_of(row)
