# SPDX-License-Identifier: MIT
"""Is the gateway's data fresh? For a watchdog: every check by name, with what it found."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from kahriz_gateway.page import health_self, queries, stores
from kahriz_gateway.page.nodes import late_ms
from kahriz_gateway.village.store import get_state
from kahriz_water.site import Plan

# The village writes its sign of life every ten minutes of the gateway's clock.
ALIVE_MOST_MS = 25 * 60_000


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it passed, and in words what was found."""

    ok: bool
    found: str


def checks(plan: Plan, data_dir: Path, now_ms: int, trusted: bool = True) -> dict[str, Check]:
    """Intake and village: alive, readable, newer than the slowest node's lateness; and the rest."""
    limit = max(late_ms(p.dt_s, p.batch) for p in plan.points)
    found = {}
    arrived: int | None = None
    try:
        with stores.readings(data_dir) as conn:
            arrived = _newest(conn)
        found["intake"] = _age(arrived, now_ms, limit, "nothing has arrived yet")
    except stores.UnreadableStoreError as broken:
        found["intake"] = Check(False, str(broken))
    try:
        with stores.village(data_dir) as conn:
            words = [w for p in plan.points if (w := queries.last_word(conn, p.id)) is not None]
            alive = get_state(conn, "alive_ms")
        found["village"] = _age(max(words, default=None), now_ms, 2 * limit, "no value yet")
        if alive is None or now_ms - alive > ALIVE_MOST_MS:
            found["village"] = _age(alive, now_ms, ALIVE_MOST_MS, "the service has never run")
    except stores.UnreadableStoreError as broken:
        found["village"] = Check(False, str(broken))
    for name, fault in (
        ("intake", health_self.fault_of_intake(data_dir)),
        ("village", health_self.fault_of_village(data_dir)),
    ):
        if fault is not None:
            found[name] = Check(False, fault)
    found["disk"] = Check(*health_self.disk(data_dir, now_ms))
    found["clock"] = Check(trusted, "set" if trusted else "not set: nodes are told no time")
    mains = health_self.mains(plan, data_dir)
    if mains is not None:
        found["mains"] = Check(*mains)
    return found


def _newest(conn: sqlite3.Connection) -> int | None:
    row = conn.execute("SELECT max(received) FROM session").fetchone()
    last = conn.execute("SELECT received FROM reading ORDER BY rev DESC LIMIT 1").fetchone()
    times = [t for t in (row[0], last[0] if last else None) if t is not None]
    return max(times, default=None)


def _age(ms: int | None, now_ms: int, limit_ms: int, never: str) -> Check:
    if ms is None:
        return Check(False, never)
    age_s = (now_ms - ms) // 1000
    return Check(age_s * 1000 <= limit_ms, f"newest {age_s} s old, late after {limit_ms // 1000} s")
