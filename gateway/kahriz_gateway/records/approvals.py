# SPDX-License-Identifier: MIT
"""Who has reviewed which numbers: provisional, approved, revised, as the USGS tells them apart.

An approval says that somebody answers for the numbers of a point before a day. The newest one of
a point holds, so that an earlier day takes back what was approved too soon. A number that has
changed, come late or gone since then is `revised` until somebody approves anew; the triggers of
the store note it, whoever writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

PROVISIONAL, APPROVED, REVISED = "provisional", "approved", "revised"


@dataclass(frozen=True, slots=True)
class Approval:
    """`who` answers for the numbers of `point` before `until_ms`, said at `at`."""

    point: str
    at: int
    until_ms: int
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the numbers of one point stand."""

    conn: sqlite3.Connection
    held: Approval | None

    def of(self, quantity: str, moments: Iterable[int]) -> dict[int, str]:
        """Of single values of a quantity."""
        found = list(moments)
        if self.held is None or not found:
            return dict.fromkeys(found, PROVISIONAL)
        rows = self.conn.execute(
            "SELECT ts FROM revised WHERE point=? AND quantity=? AND ts>=? AND ts<=? AND at=?",
            (self.held.point, quantity, min(found), max(found), self.held.at),
        )
        other = {row[0] for row in rows}
        return {
            ts: PROVISIONAL if ts >= self.held.until_ms else REVISED if ts in other else APPROVED
            for ts in found
        }

    def span(self, start: int, end: int) -> str:
        """Of all the numbers of a span together: the least certain of them."""
        if self.held is None or end > self.held.until_ms:
            return PROVISIONAL
        row = self.conn.execute(
            "SELECT 1 FROM revised WHERE point=? AND ts>=? AND ts<? AND at=? LIMIT 1",
            (self.held.point, start, end, self.held.at),
        ).fetchone()
        return APPROVED if row is None else REVISED


def standing(conn: sqlite3.Connection, point: str) -> Standing:
    row = conn.execute(
        "SELECT point, at, until_ms, who, note FROM approval WHERE point=?"
        " ORDER BY at DESC LIMIT 1",
        (point,),
    ).fetchone()
    return Standing(conn, None if row is None else Approval(*row))


def revised(conn: sqlite3.Connection, point: str) -> list[tuple[str, int, int]]:
    """Quantity, moment and approval of everything that was changed after it."""
    rows = conn.execute(
        "SELECT quantity, ts, at FROM revised WHERE point=? ORDER BY quantity, ts", (point,)
    )
    return [tuple(row) for row in rows]


def put_revised(conn: sqlite3.Connection, rows: Iterable[tuple[str, str, int, int]]) -> None:
    """Inside a transaction, of a copy: point, quantity, moment and approval as they were."""
    conn.executemany("INSERT OR REPLACE INTO revised VALUES(?,?,?,?)", rows)
