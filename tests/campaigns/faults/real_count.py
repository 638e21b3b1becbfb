# SPDX-License-Identifier: MIT
"""What the stores of a real run have: rows of the publishers, and of the node's real program."""

from __future__ import annotations

import contextlib
import json
import sqlite3

from scripts.bench_rig import Rig

from .real_node import NODE

SINGLE = "SELECT count(*) FROM (SELECT DISTINCT node, journal, n FROM reading WHERE node <> 'real')"


def count(each: Rig, rows: int) -> tuple[int, int]:
    """(lost, doubled) of the publishers: every row once in the store, every point in InfluxDB."""
    kept = each.ask("readings.db", "SELECT count(*) FROM reading WHERE node <> 'real'")
    single = each.ask("readings.db", SINGLE)
    assert each.influx is not None
    found = each.influx.query('SELECT count("q") FROM "water" WHERE node <> \'real\'')
    series = found[0].get("series")
    points = int(series[0]["values"][0][1]) if series else 0
    return (rows - single) + max(0, rows - points), (kept - single) + max(0, points - rows)


def real_rows(each: Rig, after: int = 0) -> list[dict[str, float]]:
    """Bodies of the node's rows that came after that revision."""
    with contextlib.closing(sqlite3.connect(each.folder / "readings.db")) as conn:
        rows = conn.execute(
            "SELECT body FROM reading WHERE node=? AND rev > ? ORDER BY rev", (NODE, after)
        ).fetchall()
    return [json.loads(body) for (body,) in rows]
