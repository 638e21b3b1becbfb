# SPDX-License-Identifier: MIT
"""The stores: of this site, whole, and with a deployment for every node of the plan."""

from __future__ import annotations

import contextlib
import sqlite3

from kahriz_gateway.checks import RUNBOOK, About, Finding, bad, good
from kahriz_gateway.config import deployed_nodes
from kahriz_gateway.intake.store import EmptyStoreError, StoreError, gaps, get_meta, read_store
from kahriz_gateway.village.store import open_village

DAMAGED_OR_FOREIGN = "look at its rights; if it is damaged, move it away"


def store(about: About) -> Finding:
    path = about.options.data / "readings.db"
    if not path.exists():
        return good("not made yet; intake makes it")
    try:
        conn = read_store(path)
    except EmptyStoreError:
        return good("not made yet; intake makes it")
    except StoreError as error:
        return bad(str(error), RUNBOOK)
    site = get_meta(conn, "site")
    if site != about.plan.id:
        return bad(f"{path} is of {site}", "choose another --data")
    verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        return bad(f"{path} is damaged ({verdict})", "restore last night's backup")
    missing = sum(gap.count for gap in gaps(conn))
    return good(f"store {get_meta(conn, 'store')}, {missing} readings missing")


def records(about: About) -> Finding:
    path = about.options.data / "village.db"
    if path.exists():
        try:
            with contextlib.closing(open_village(path.resolve(), read_only=True)) as conn:
                verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        except EmptyStoreError:
            verdict = "ok"  # without a deployment, as below
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            return bad(f"{path} cannot be read ({verdict})", f"{DAMAGED_OR_FOREIGN}; {RUNBOOK}")
    deployed = deployed_nodes(path)
    absent = sorted(set(about.plan.nodes) - deployed)
    if absent:
        return bad(f"no deployment of {', '.join(absent)}", "`kahriz gateway records import FILE`")
    return good(f"{len(deployed)} nodes deployed")
