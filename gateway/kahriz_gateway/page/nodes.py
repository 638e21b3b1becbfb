# SPDX-License-Identifier: MIT
"""The nodes as readings.db knows them: last heard, battery, and every reading still missing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from kahriz_gateway.intake.store import Gap, gaps
from kahriz_water.site import Plan


@dataclass(frozen=True, slots=True)
class Node:
    """One node; None is what it never said. `known` is False for a stranger to the plan."""

    id: str
    known: bool
    heard: int | None
    late: bool
    battery_v: float | None
    rssi_dbm: float | None
    error: str | None
    missing: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A range of readings that nobody has any more, and why."""

    node: str
    journal: str
    a: int
    b: int
    reason: str
    at: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """What has not arrived, and what came but could not be read."""

    nodes: list[Node]
    gaps: list[Gap]
    lost: list[Lost]
    quarantined: int

    @property
    def count(self) -> int:
        return sum(gap.count for gap in self.gaps)


def late_ms(dt_s: int, batch: int) -> int:
    """No word for this long is late: one batch and two minutes (the wire contract)."""
    return dt_s * batch * 1000 + 120_000


def missing(conn: sqlite3.Connection, plan: Plan, now_ms: int) -> Missing:
    """The state of all nodes, those of the plan first, in its order."""
    open_gaps = gaps(conn)
    hellos: dict[str, tuple[int | None, dict[str, object]]] = {}
    for row in conn.execute("SELECT node, received, body FROM session ORDER BY rowid"):
        hellos[row["node"]] = (row["received"], _body(row["body"]))
    found = []
    for node in dict.fromkeys([*plan.nodes, *hellos]):
        received, hello = hellos.get(node, (None, {}))
        limits = [late_ms(p.dt_s, p.batch) for p in plan.points if p.node == node]
        error = hello.get("error")
        found.append(
            Node(
                id=node,
                known=node in plan.nodes,
                heard=received,
                late=received is None or now_ms - received > max(limits, default=late_ms(300, 12)),
                battery_v=_number(hello.get("battery_v")),
                rssi_dbm=_number(hello.get("rssi_dbm")),
                error=str(error) if error else None,
                missing=sum(g.count for g in open_gaps if g.node == node),
            )
        )
    lost = [
        Lost(*row)
        for row in conn.execute(
            "SELECT node, journal, a, b, reason, at FROM closed ORDER BY at DESC, node, a LIMIT 100"
        )
    ]
    quarantined = int(conn.execute("SELECT count(*) FROM quarantine").fetchone()[0])
    return Missing(found, open_gaps, lost, quarantined)


def _body(text: str) -> dict[str, object]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
