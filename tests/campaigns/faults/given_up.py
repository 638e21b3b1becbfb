# SPDX-License-Identifier: MIT
"""What a node holds for stored must be in the store: looked at after each session.

A node that gives its readings up before they are stored loses nothing as long as the ledger still
asks for them and the flash still has them, which a short run cannot tell from a sound node.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kahriz_sim.flash_journal import marks
from kahriz_wire import ranges

from .disk import plain_connect
from .small import NODE


def too_early(flash: Path, store: Path) -> list[list[int]]:
    """Numbers that the node has given up and the gateway that it thinks of does not have."""
    conn = plain_connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
    try:
        (name,) = conn.execute("SELECT value FROM meta WHERE key='store'").fetchone()
        found = []
        for mark in marks(flash):
            if mark.store == name:  # to another one all is offered again
                done = ranges.minus([[1, mark.upto]], mark.missing)
                found += ranges.minus(done, _held(conn, mark.journal))
        return found
    finally:
        conn.close()


def _held(conn: sqlite3.Connection, journal: str) -> list[list[int]]:
    """Numbers that are stored, or closed with a reason."""
    given = (NODE, journal)
    stored = conn.execute("SELECT n, n FROM reading WHERE node=? AND journal=?", given)
    closed = conn.execute("SELECT a, b FROM closed WHERE node=? AND journal=?", given)
    return [[a, b] for a, b in [*stored, *closed]]
