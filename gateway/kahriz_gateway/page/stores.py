# SPDX-License-Identifier: MIT
"""Opening the two stores for looking only; a store that cannot be read says which and the mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kahriz_gateway.intake import store
from kahriz_gateway.village import store as village_store


class UnreadableStoreError(Exception):
    """`name` of the store, what is `wrong` with it, and whether it is simply not there yet."""

    def __init__(self, name: str, wrong: str, absent: bool = False) -> None:
        super().__init__(f"{name}: {wrong}")
        self.name = name
        self.wrong = wrong
        self.absent = absent


@contextmanager
def village(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """village.db, one consistent look at it."""
    path = data_dir / "village.db"
    if not path.exists():
        raise UnreadableStoreError(path.name, "no such file", absent=True)
    try:
        conn = village_store.open_village(path.resolve(), read_only=True)
    except store.EmptyStoreError as error:
        raise UnreadableStoreError(path.name, str(error), absent=True) from error
    except sqlite3.DatabaseError as error:
        raise UnreadableStoreError(path.name, str(error)) from error
    yield from _look(conn, path)


@contextmanager
def readings(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """readings.db, one consistent look at it."""
    path = data_dir / "readings.db"
    if not path.exists():
        raise UnreadableStoreError(path.name, "no such file", absent=True)
    try:
        conn = store.read_store(path)
    except store.EmptyStoreError as error:
        raise UnreadableStoreError(path.name, str(error), absent=True) from error
    except store.StoreError as error:
        raise UnreadableStoreError(path.name, str(error)) from error
    yield from _look(conn, path)


def _look(conn: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    conn.row_factory = sqlite3.Row
    try:
        conn.execute("PRAGMA query_only=1")
        conn.execute("BEGIN")
        yield conn
    except sqlite3.DatabaseError as error:
        raise UnreadableStoreError(path.name, str(error)) from error
    finally:
        conn.close()
