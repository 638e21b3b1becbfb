# SPDX-License-Identifier: MIT
"""The verdict over what the server was handed, and over a month in which it was handed nothing."""

from __future__ import annotations

import sqlite3

from kahriz_gateway.outputs.follow_side import TOLD
from kahriz_gateway.outputs.influx import MAX_LINES
from kahriz_gateway.village.estimates import told_upto

from .disk import plain_connect
from .growth import Growth
from .life import FaultLife
from .schedule import DAY_S, MONTH, Schedule
from .site import Site
from .verdict import Verdict

BYTES_A_ROW = 1000.0
OBJECTS_A_ROW = 3.0
LOG_BYTES = 16_000_000
OFFICE_LATE_STEPS = 6  # of the node's interval, after a batch: it fails when there is something


def judge_server(found: Verdict, site: Site, conn: sqlite3.Connection) -> None:
    """Every value that is final and every step of an alarm lies in the database, in order."""
    values = {
        (row["ts"], row["quantity"])
        for row in conn.execute(
            "SELECT ts, quantity FROM value WHERE q < 4 AND manual=0"
            " AND ts NOT IN (SELECT ts FROM estimated WHERE ts > ?)",
            (told_upto(conn),),
        )
    }
    points = site.database.points
    there = {
        (ts, name)
        for (key, ts), fields in points.items()
        if key.startswith("water")
        for name in fields
    }
    found.database_lacks = len(values - there)
    if found.database_lacks:
        found.faults.append(f"the database lacks {found.database_lacks} of {len(values)} values")
    events = conn.execute("SELECT alarm, at, what FROM alarm_event")
    steps = {(str(row["alarm"]), row["at"]) for row in events if row["what"] in TOLD}
    told = {(key.split("alarm=")[1].split(",")[0], ts)
            for key, ts in points if key.startswith("alarm,")}  # fmt: skip
    lacks = steps - told
    found.database_lacks_alarms = len(lacks)
    if lacks:
        found.faults.append(f"the database lacks {sorted(lacks)[:3]} of the alarms")
    if told - steps:  # what a wrong clock had dated and nobody took back
        found.faults.append(f"the database holds {sorted(told - steps)[:3]}, which no alarm says")
    if site.database.most_lines > MAX_LINES:
        found.faults.append(f"{site.database.most_lines} lines in one write")
    _order(found, site)


def _order(found: Verdict, site: Site) -> None:
    """What came to the gateway earlier, and is older, is not handed over later.

    A reading whose time is an estimate waits until it is known, or for a day, and is no part of it.
    """
    if any(kind.startswith("clock") or kind == "store_restored" for kind in found.kinds):
        return  # then neither the numbers nor the dates of rows say what came first
    store = plain_connect(site.data / "readings.db")
    rows = store.execute(
        "SELECT ts FROM reading WHERE ts IS NOT NULL AND tq IS NULL ORDER BY rev"
    ).fetchall()
    store.close()
    came = {ts: write for (key, ts), write in site.database.came.items() if key.startswith("water")}
    newest_ts = newest_write = 0
    for (ts,) in rows:
        write = came.get(ts)
        if write is None or ts < newest_ts:
            continue
        found.database_disordered += write < newest_write
        newest_ts, newest_write = ts, max(newest_write, write)
    if found.database_disordered:
        found.faults.append(f"{found.database_disordered} readings were handed over too early")


def judge_month(
    found: Verdict,
    schedule: Schedule,
    life: FaultLife,
    growth: Growth,
    site: Site,
    conn: sqlite3.Connection,
) -> None:
    """Disk and memory stayed small, and the crew was told of the server, once."""
    away = next((each for each in schedule.happenings if each.kind == MONTH), None)
    if away is None:
        return
    a_row = growth.a_row()
    if a_row is None:
        found.faults.append("nobody looked at what the gateway keeps")
        return
    found.bytes_a_row, found.objects_a_row = round(a_row[0], 1), round(a_row[1], 2)
    if a_row[0] > BYTES_A_ROW:
        found.faults.append(f"{a_row[0]:.0f} bytes of the disk a reading")
    if a_row[1] > OBJECTS_A_ROW:
        found.faults.append(f"{a_row[1]:.1f} more objects in memory a reading")
    if growth.looks[-1].log_bytes > LOG_BYTES:
        found.faults.append(f"{growth.looks[-1].log_bytes} bytes of logs")
    _office(found, schedule, away.at_s, life, conn)


def _office(
    found: Verdict, schedule: Schedule, away_s: float, life: FaultLife, conn: sqlite3.Connection
) -> None:
    """After a day without the server there is one alarm of it, and it ends with the month."""
    rows = conn.execute("SELECT raised, calm, closed FROM alarm WHERE kind='office'").fetchall()
    if any(kind.startswith("clock") for kind in found.kinds):
        return
    late_ms = schedule.dt_s * (schedule.batch + OFFICE_LATE_STEPS) * 1000
    due_ms = life.weather.begin_ms + (away_s + DAY_S) * 1000
    if len(rows) != 1 or not due_ms <= rows[0]["raised"] <= due_ms + late_ms:
        found.faults.append(
            f"the crew was told of the server's absence: {[tuple(r) for r in rows]}"
        )
    elif rows[0]["calm"] is None and rows[0]["closed"] is None:
        found.faults.append("the server is back, and its alarm does not know")
