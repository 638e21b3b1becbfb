# SPDX-License-Identifier: MIT
"""The verdict over a schedule: readings, ledger, alarms, texts and the database, against truth."""

from __future__ import annotations

import contextlib
from pathlib import Path

from kahriz_gateway.village import store as village_store
from kahriz_sim.flash_journal import owed_rows

from .. import judge as life_judge
from ..intake import LoneIntake, TrueClock
from .growth import Growth
from .judge_alarms import judge_alarms, judge_texts
from .judge_server import judge_month, judge_server
from .life import FaultLife
from .schedule import Schedule
from .small import NODE, SITE
from .trouble import Trouble
from .verdict import Verdict

MENDED_BY_HAND = ("clock_2036_believed", "unreadable_message")
DAY_MS = 86_400_000


def judge(
    schedule: Schedule, life: FaultLife, trouble: Trouble, growth: Growth, said: str, flash: Path
) -> Verdict:
    """Hold what the gateway has against what is true."""
    site = trouble.site
    found = Verdict(schedule.seed, [h.kind for h in schedule.happenings])
    _readings(found, life, trouble, said, flash)
    found.unreadable = len(trouble.foreign.names)
    found.excused, lost = trouble.foreign.judged(site.data / "readings.db")
    if lost:
        found.faults.append(f"unreadable messages that were not kept: {lost[:3]}")
    with contextlib.closing(village_store.open_village(site.data / "village.db")) as conn:
        judge_alarms(found, life, site, conn)
        judge_texts(found, site, conn)
        judge_server(found, site, conn)
        judge_month(found, schedule, life, growth, site, conn)
    for process in (site.intake, site.village):
        found.faults += sorted(set(process.failures))[:3]
    _recovery(found, schedule, life)
    return found


def _readings(found: Verdict, life: FaultLife, trouble: Trouble, said: str, flash: Path) -> None:
    site = trouble.site
    clock = TrueClock()
    clock.ms = site.time.now_ms()
    book = LoneIntake(site.data, SITE, clock)
    seen = life_judge.judge(NODE, life, book, said)
    book_store = book.count("SELECT 0") or book.conn.execute(
        "SELECT value FROM meta WHERE key='store'").fetchone()[0]  # fmt: skip
    known = {(journal, n) for journal, n, *_ in book.rows()}
    closed = book.closed()
    spoken_for = [(j, a, b) for j, a, b, why in closed if why != "replaced"]
    owed = [
        row
        for row in owed_rows(flash, book_store)
        if (row.journal, row.n) not in known
        and not any(j == row.journal and a <= row.n <= b for j, a, b in spoken_for)
    ]
    found.measured, found.stored = len(life.wakes), seen.stored
    found.cut_short, found.redelivered = seen.cut_short, seen.redelivered
    found.pending = len(owed)
    found.missing = sum(b - a + 1 for _, a, b in spoken_for)
    found.lost = max(0, len(seen.lost) - found.missing - found.pending)
    found.doubled = seen.twice
    stamps = seen.late_stamps
    if "clock_2036_believed" in found.kinds:  # what was dated meanwhile is the clock's
        believed = {n for _, n, ts, _, _, at in book.rows()
                    if ts is not None and at is not None and ts - at < DAY_MS}  # fmt: skip
        stamps = [s for s in stamps if s[1] not in believed]
    found.late_stamps = len(stamps)
    if found.lost:
        found.faults.append(f"lost: wakes {seen.lost[:5]}")
    if life.given_up:
        found.faults.append(f"given up before it was stored: {life.given_up[:3]}")
    if found.doubled:
        found.faults.append(f"doubled: {found.doubled}")
    if found.pending:
        found.faults.append(f"still pending at the end: {found.pending}")
    if found.missing and "clock_2036_believed" not in found.kinds:
        found.faults.append(f"missing, named: {closed}")
    if seen.open:
        found.faults.append(f"gaps left open: {seen.open}")
    if stamps:
        found.faults.append(f"stamps out of bounds: {stamps[:3]}")
    allowed = tuple(f"quarantine: {w}" for w in ("row", "message", ""))
    own = [
        line
        for line in seen.complaints
        if not (line.startswith(allowed) and set(MENDED_BY_HAND) & set(found.kinds))
    ]
    if own:
        found.faults.append(f"complaints: {own[:3]}")
    book.close()


def _recovery(found: Verdict, schedule: Schedule, life: FaultLife) -> None:
    """From the end of each happening to the next receipt that left nothing open."""
    for each in schedule.happenings:
        end_ms = life.weather.begin_ms + each.to_s * 1000
        after = [ms for ms in life.whole_ms if ms >= end_ms]
        if after:
            found.recovery_s[each.kind] = round((after[0] - end_ms) / 1000, 1)
