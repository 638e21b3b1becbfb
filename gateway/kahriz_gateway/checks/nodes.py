# SPDX-License-Identifier: MIT
"""Nodes that are late: no word within their batch, 2 minutes and the largest back-off."""

from __future__ import annotations

from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_gateway.intake.store import StoreError, read_store

GRACE_S = 120
DAY_MS = 86_400_000
_MEND = "look at the page's list of nodes: battery, signal, the access point near it; then visit"


def late(about: About) -> Finding:
    plan, clock = about.plan, about.clock
    if not clock.trusted():
        return idle("the clock is not set: nobody can say who is late")
    try:
        conn = read_store(about.options.data / "readings.db")
    except StoreError as error:
        return idle(str(error))
    heard = dict(conn.execute("SELECT node, max(received) FROM session GROUP BY node").fetchall())
    conn.close()
    now_ms = clock.now_ms()
    words = []
    for node in plan.nodes:
        limit_s = max(p.dt_s * p.batch for p in plan.points if p.node == node) + GRACE_S
        last_ms = heard.get(node)
        if last_ms is None:
            words.append(f"{node} never spoke")
        elif last_ms - now_ms > DAY_MS:
            words.append(f"{node} was last heard in the future: a clock was wrong")
        elif now_ms - last_ms > limit_s * 1000:
            words.append(f"{node} is silent for {_hours(now_ms - last_ms)}")
    if words:
        return bad("; ".join(words), _MEND)
    return good(f"all {len(plan.nodes)} nodes spoke in time")


def _hours(ms: int) -> str:
    minutes = ms // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
