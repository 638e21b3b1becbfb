# SPDX-License-Identifier: MIT
"""The ledger for people: each journal's rows counted anew and compared with the gaps on record."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from kahriz_gateway.intake.books import missing_by_rows
from kahriz_gateway.intake.store import Gap, gaps
from kahriz_wire import ranges


@dataclass(frozen=True, slots=True)
class JournalState:
    """What one journal of one node has given us."""

    node: str
    journal: str
    first: int
    next: int
    stored: int
    repeated: int
    missing: tuple[Gap, ...]
    closed: tuple[tuple[str, int], ...]
    contradiction: str | None
    boots: int | None
    counts: dict[str, int]
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "missing_rows": sum(g.count for g in self.missing)}

    def in_words(self) -> list[str]:
        count = sum(g.count for g in self.missing)
        lines = [
            f"{self.node} {self.journal}: {self.stored} stored, {count} missing, "
            f"{self.repeated} repeated, node holds {self.first} to {self.next - 1}"
        ]
        lines += [f"  missing {g.a} to {g.b} since {_day(g.since_ms)}" for g in self.missing]
        lines += [f"  closed {count} rows: {reason}" for reason, count in self.closed]
        if self.boots is not None and self.counts:
            since = ", ".join(f"{self.counts[key]} {key}" for key in sorted(self.counts))
            lines.append(f"  {self.boots} power-ons; since the last: {since}")
        if self.error:
            lines.append(f"  its last error: {self.error}")
        if self.contradiction is not None:
            lines.append(f"  CONTRADICTION: {self.contradiction}")
        return lines


def journals(conn: sqlite3.Connection) -> list[JournalState]:
    """All journals that ever said hello, by node."""
    conn.execute("BEGIN")
    open_gaps = gaps(conn)
    return [
        _journal(conn, open_gaps, *row)
        for row in conn.execute(
            "SELECT node, journal, first, next, body FROM session ORDER BY node, rowid"
        )
    ]


def _journal(
    conn: sqlite3.Connection,
    open_gaps: list[Gap],
    node: str,
    journal: str,
    first: int,
    next: int,
    body: str,
) -> JournalState:
    key = (node, journal)
    says = json.loads(body)
    stored, times = conn.execute(
        "SELECT count(*), coalesce(sum(times), 0) FROM reading WHERE node=? AND journal=?", key
    ).fetchone()
    closed = conn.execute(
        "SELECT reason, sum(b - a + 1) FROM closed WHERE node=? AND journal=? GROUP BY reason", key
    ).fetchall()
    mine = tuple(g for g in open_gaps if (g.node, g.journal) == key)
    by_rows = missing_by_rows(conn, node, journal, next - 1)
    on_record = [[g.a, g.b] for g in mine]
    contradiction = None
    if by_rows != ranges.normal(on_record):
        contradiction = (
            f"by the rows {by_rows} is missing, on record {on_record}: rows were changed behind "
            "the gateway's back; stop intake and restore the store, or move it away: the nodes "
            "fill a new one"
        )
    return JournalState(
        node,
        journal,
        first,
        next,
        stored,
        times - stored,
        mine,
        tuple(closed),
        contradiction,
        says.get("boot"),
        says.get("counts", {}),
        says.get("error"),
    )


def _day(ms: int | None) -> str:
    if ms is None:
        return "an unknown time (the clock was not set)"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
