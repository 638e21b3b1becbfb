# SPDX-License-Identifier: MIT
"""The stores: of this site, whole, and with a deployment for every node of the plan."""

from __future__ import annotations

from kahriz_gateway.checks import About, Finding, bad, good
from kahriz_gateway.config import deployed_nodes
from kahriz_gateway.store import StoreError, gaps, get_meta, read_store


def store(about: About) -> Finding:
    path = about.options.data / "readings.db"
    if not path.exists():
        return good("not made yet; intake makes it")
    try:
        conn = read_store(path)
    except StoreError as error:
        return bad(str(error), "move it away: the nodes fill a new one; or restore a backup")
    site = get_meta(conn, "site")
    if site != about.plan.id:
        return bad(f"{path} is of {site}", "choose another --data")
    verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        return bad(f"{path} is damaged ({verdict})", "restore last night's backup")
    missing = sum(gap.count for gap in gaps(conn))
    return good(f"store {get_meta(conn, 'store')}, {missing} readings missing")


def records(about: About) -> Finding:
    deployed = deployed_nodes(about.options.data / "village.db")
    absent = sorted(set(about.plan.nodes) - deployed)
    if absent:
        return bad(f"no deployment of {', '.join(absent)}", "`kahriz gateway records import FILE`")
    return good(f"{len(deployed)} nodes deployed")
