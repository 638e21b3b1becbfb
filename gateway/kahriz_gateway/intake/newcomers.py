# SPDX-License-Identifier: MIT
"""How many journals a node may begin in a day: who draws ever new ones is broken, or stolen.

Each journal has a ledger of its own and closes the one before. Without a limit one node with a
certificate could keep intake busy with nothing else, for ever.
"""

from __future__ import annotations

import sqlite3

from kahriz_gateway.clock import Clock
from kahriz_wire.errors import WireError

JOURNALS_A_DAY = 16  # a technician who formats again and again needs some
DAY_MS = 86_400_000


class Newcomers:
    """Lets journals in that are known, and new ones up to the limit."""

    def __init__(self, conn: sqlite3.Connection, clock: Clock) -> None:
        self._conn = conn
        self._clock = clock
        self._known: set[tuple[str, str]] = set()
        self._begun: dict[str, list[int]] = {}

    def admit(self, node: str, journal: str) -> None:
        """Nothing, or a WireError in words; its message stays in quarantine."""
        key = node, journal
        if key in self._known:
            return
        if not self._stored(key):
            now_ms = self._clock.now_ms()
            lately = [at for at in self._begun.get(node, []) if 0 <= now_ms - at < DAY_MS]
            if len(lately) >= JOURNALS_A_DAY:
                raise WireError(
                    "journal",
                    f"more than {JOURNALS_A_DAY} new ones of {node} within a day: look at the "
                    "board, and revoke its certificate if it is not in your hands",
                )
            self._begun[node] = [*lately, now_ms]
        self._known.add(key)

    def _stored(self, key: tuple[str, str]) -> bool:
        return any(
            self._conn.execute(sql, key).fetchone()
            for sql in (
                "SELECT 1 FROM session WHERE node=? AND journal=?",
                "SELECT 1 FROM reading WHERE node=? AND journal=? LIMIT 1",
            )
        )
