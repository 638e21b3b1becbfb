# SPDX-License-Identifier: MIT
"""The last net under every command: what the disk does becomes one line with its mend.

Each command says in its own words what it expects. What nobody expects (a page of a store that
is damaged in its middle, a file of another user, a full disk) ends here, and never in a traceback.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
from typing import Any

import rich_click as click

from kahriz_gateway.config import EXIT_STORE
from kahriz_gateway.intake.store import StoreError

OWNER = "run it as their owner (`sudo -u`), or give the rights back"
MENDS = {
    errno.EACCES: OWNER,
    errno.EPERM: OWNER,
    errno.ENOSPC: "make room on the disk, readings last",
    errno.EROFS: "the disk is read-only: a dying card; back up, then change it",
    errno.EISDIR: "a file is expected there, not a folder",
    errno.ENOTDIR: "a folder is expected there, not a file",
    errno.ENOENT: "it is not there: look at --data and --config",
}
DAMAGED = (
    "move the store away and restore a backup; without one the nodes fill a new readings.db, and"
    " the records are imported anew"
)


class NetGroup(click.RichGroup):
    """A group whose commands end in one line when a file or a store fails them."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StoreError, sqlite3.DatabaseError, OSError, UnicodeDecodeError) as error:
            words = in_words(error)
            if words is None:
                raise
            click.echo(f"{ctx.info_name}: {words}", err=True)
            sys.exit(EXIT_STORE)


def in_words(error: Exception) -> str | None:
    """One line with the mend; None for a mistake of this program."""
    if isinstance(error, StoreError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"a file is not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
    if isinstance(error, sqlite3.DatabaseError):
        return _of_a_store(error)
    if isinstance(error, OSError) and error.errno != errno.EPIPE and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        mend = MENDS.get(error.errno or 0)
        return f"{where}{error.strerror}" + (f": {mend}" if mend else "")
    return None


def _of_a_store(error: sqlite3.DatabaseError) -> str | None:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"a store is damaged ({error}): {DAMAGED}"
    if "no such table" in str(error) or "no such column" in str(error):
        return f"a store is not whole ({error}): {DAMAGED}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return f"a store cannot be opened or written ({error}): {OWNER}"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"a store is locked ({error}): another program works on it; try again"
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return f"a store cannot be written or read ({error}): {MENDS[errno.ENOSPC]}, or a new card"
    return None
