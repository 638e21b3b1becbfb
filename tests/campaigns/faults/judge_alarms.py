# SPDX-License-Identifier: MIT
"""The verdict over alarms and the texts about them."""

from __future__ import annotations

import sqlite3

from .life import FaultLife
from .schedule import MONTH
from .site import Site
from .small import ABSENT
from .verdict import Verdict

DROP_KINDS = ("source_drop", "collapse", "blockage")
FRESH_S = 5000.0  # what arrives later than that no longer rings
TOLD_S = 900.0  # from the second reading that shows it to the alarm
ALARMED_S = 3600.0
HOURS_MS = 10_800_000
USUAL_LEAST = 30  # readings in the hours before a loss: fewer say nothing about it
QUICK_S = 300.0  # between readings; where they come more slowly a day of them is asked for
DAY_MS, DAY_LEAST = 86_400_000, 22
SLOW_MS, SLOW_LEAST = 28_800_000, 8  # the last hours before the loss
PATIENCE_MS = 1_500_000  # of a message while the last fault is over


def judge_alarms(found: Verdict, life: FaultLife, site: Site, conn: sqlite3.Connection) -> None:
    rows = conn.execute("SELECT kind, place, raised, stored FROM alarm ORDER BY id").fetchall()
    clock_wrong = any(kind.startswith("clock") for kind in found.kinds)
    drops = [r for r in rows if r["kind"] in DROP_KINDS]
    for row in rows:
        if row["kind"] in DROP_KINDS:
            right = life.fall_ms is not None and (clock_wrong or row["stored"] >= life.fall_ms)
        elif row["place"] == ABSENT:
            continue  # right in every run: its node is not built yet
        elif row["kind"] in ("silent_node", "gateway"):
            right = clock_wrong or _was_silent(life, row["stored"])
        else:
            right = row["kind"].partition(":")[0] in _explained(found)
        found.alarms_right += right
        found.alarms_wrong += not right
        if not right:
            found.faults.append(f"wrong alarm: {row['kind']} of {row['place']}")
    if life.fall_ms is None:
        return
    knew_ms = _could_know(life, site)
    if drops:
        found.alarm_s = round((drops[0]["stored"] - life.fall_ms) / 1000, 1)
    elif knew_ms is None or clock_wrong:
        found.alarms_unknowable = 1
    else:
        found.alarms_lost = 1
        found.faults.append("the loss of water was never told")


def _explained(found: Verdict) -> set[str]:
    """Alarms that a fault of this schedule explains."""
    kinds = set(found.kinds)
    words = set()
    if kinds & {"modem_hangs", "modem_no_network"}:
        words |= {"alarm_path"}
    if MONTH in kinds:
        words |= {"office"}
    if kinds & {"store_restored"}:
        words |= {"restored"}
    if any(k.startswith("clock") for k in kinds):
        words |= {"clock_went_back", "clock", "office", "sensor_fault"}
    if kinds & {"disk_full", "disk_read_only"}:
        words |= {"store"}
    return words


def _was_silent(life: FaultLife, at_ms: int) -> bool:
    """Whether the gateway had heard nothing for longer than a batch takes."""
    before = [ms for ms in life.heard_ms if ms <= at_ms]
    last = max(before, default=life.weather.begin_ms)
    return at_ms - last > life.schedule.dt_s * life.schedule.batch * 1000


def _could_know(life: FaultLife, site: Site) -> float | None:
    """When two readings that show the loss had come in while they were fresh."""
    if life.fall_ms is None:
        return None
    dt_s, batch = life.schedule.dt_s, life.schedule.batch
    slow_ms = 0 if dt_s <= QUICK_S else 1000 * dt_s * (2 + batch)
    fresh_ms = max(FRESH_S * 1000, slow_ms and 1500 * dt_s * batch)
    if not _usual_known(life, life.fall_ms, slow=slow_ms > 0):
        return None
    low = [w.measured_ms for w in life.wakes if w.measured_ms >= life.fall_ms and w.on_flash]
    if len(low) < 2:
        return None
    for ms in life.whole_ms:
        came = [m for m in low if m <= ms]
        if len(came) >= 2 and ms - came[-2] <= fresh_ms:
            left_ms = site.time.now_ms() - ms
            early = ms - life.fall_ms <= ALARMED_S * 1000 + slow_ms
            return float(ms) if early and left_ms > TOLD_S * 1000 else None
    return None


def _usual_known(life: FaultLife, fall_ms: float, slow: bool) -> bool:
    """Whether enough was measured before the loss to say what is usual here."""
    ago_ms = [fall_ms - w.measured_ms for w in life.wakes if w.measured_ms < fall_ms and w.on_flash]
    if not slow:
        return sum(ms < HOURS_MS for ms in ago_ms) >= USUAL_LEAST
    in_a_day = sum(ms < DAY_MS for ms in ago_ms)
    return in_a_day >= DAY_LEAST and sum(ms < SLOW_MS for ms in ago_ms) >= SLOW_LEAST


def judge_texts(found: Verdict, site: Site, conn: sqlite3.Connection) -> None:
    """Of one message to one person every copy but the first says that it may be one."""
    asked = conn.execute(
        "SELECT count(*) FROM message WHERE person='ali' AND sort='urgent'"
    ).fetchone()[0]
    texts = [
        part.text
        for part in site.stick.sent
        if part.parts == 1 and part.to == "+994501234567" and "cavab" in part.text
    ]
    found.texts = len(texts)
    found.copies_marked = sum("təkrar?" in text for text in texts)
    found.copies_unmarked = max(0, len(texts) - found.copies_marked - asked)
    if found.copies_unmarked:
        found.faults.append(f"{len(texts)} texts of {asked} messages, unmarked")
    stuck = conn.execute(
        "SELECT count(*) FROM message WHERE sort='urgent' AND state IN ('waiting','sending')"
        " AND made < ?",
        (site.time.now_ms() - PATIENCE_MS,),
    ).fetchone()[0]
    if stuck:
        found.faults.append(f"{stuck} urgent messages have not left")
    ways = conn.execute("SELECT count(*) FROM message WHERE sort='urgent' AND state='sent'")
    told = ways.fetchone()[0]
    urgent = conn.execute("SELECT count(*) FROM alarm WHERE kind IN ('source_drop','collapse')")
    if urgent.fetchone()[0] and not told:
        found.faults.append("an urgent alarm reached nobody")
        found.alarms_lost += 1
