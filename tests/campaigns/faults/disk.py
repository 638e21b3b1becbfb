# SPDX-License-Identifier: MIT
"""The gateway's disk: full, read-only, slow, or gone with its process at a given SQL statement.

The connections are SQLite's own and so are the errors: a full disk is the kernel's limit on the
size of files, a read-only one SQLite's own switch. Killed processes roll back as SQLite does it.
"""

from __future__ import annotations

import contextlib
import resource
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from .baton import KilledError

plain_connect = sqlite3.connect
FULL_BYTES = 4096
CALM = {"PRAGMA synchronous=FULL": "PRAGMA synchronous=OFF"}  # no process's end hangs on a flush
COMMIT_S = 0.010


class Connection(sqlite3.Connection):
    """Counts its statements for the process that opened it."""

    disk: Disk | None = None
    process = ""

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:  # type: ignore[override]
        if self.disk is not None:
            self.disk.before(self, sql)
        return super().execute(CALM.get(sql, sql), *given)

    def executemany(self, sql: str, *given: Any) -> sqlite3.Cursor:  # type: ignore[override]
        if self.disk is not None:
            self.disk.before(self, sql)
        return super().executemany(sql, *given)


class Disk:
    """`process` is whose turn it is; `kill_after[process]` counts statements down to its end."""

    def __init__(self, spend: Callable[[float], None]) -> None:
        self._spend = spend
        self.process = ""
        self.kill_after: dict[str, int] = {}
        self.full = self.read_only = self.slow = False
        self._open: list[Connection] = []

    def connect(self, *given: Any, **named: Any) -> sqlite3.Connection:
        """In place of sqlite3.connect; one thread runs at a time: a lock outlasts any wait."""
        named["timeout"] = 0.0
        made = plain_connect(*given, factory=Connection, **named)
        made.process, made.disk = self.process, self
        made.set_trace_callback(None)
        self._open.append(made)
        if self.read_only:
            sqlite3.Connection.execute(made, "PRAGMA query_only=1")
        return made

    def before(self, conn: Connection, sql: str) -> None:
        """A statement of a process."""
        left = self.kill_after.get(conn.process)
        if left is not None:
            if left <= 0:
                raise KilledError
            self.kill_after[conn.process] = left - 1
        if self.slow and sql == "COMMIT":
            self._spend(COMMIT_S)

    def write_protect(self, on: bool) -> None:
        """The card turns read-only, as worn ones do."""
        self.read_only = on
        for conn in self._open:
            with contextlib.suppress(sqlite3.ProgrammingError):  # closed
                sqlite3.Connection.execute(conn, f"PRAGMA query_only={int(on)}")

    def ended(self, process: str) -> None:
        """Its descriptors go with a process; what it had begun is rolled back."""
        self.kill_after.pop(process, None)
        for conn in [c for c in self._open if c.process == process]:
            conn.disk = None
            with contextlib.suppress(sqlite3.ProgrammingError):  # closed
                conn.rollback()  # a cursor that somebody still has would keep its lock
            conn.close()
            self._open.remove(conn)

    @contextlib.contextmanager
    def turn(self, process: str) -> Iterator[None]:
        """What happens inside is done by that process."""
        before, self.process = self.process, process
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        if self.full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.process = before


@contextlib.contextmanager
def used(disk: Disk) -> Iterator[None]:
    """All stores that are opened inside lie on this disk."""
    sqlite3.connect = disk.connect  # type: ignore[assignment]
    try:
        yield
    finally:
        sqlite3.connect = plain_connect
