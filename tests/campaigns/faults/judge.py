# SPDX-License-Identifier: MIT
"""The verdict over a schedule: readings, ledger, alarms, texts and the database, against truth."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.estimates import told_upto
from kahriz_sim.flash_journal import owed_rows

from .. import judge as life_judge
from ..intake import LoneIntake, TrueClock
from .life import FaultLife
from .schedule import Schedule
from .site import Site
from .small import ABSENT, NODE, SITE
from .trouble import Trouble

DROP_KINDS = ("source_drop", "collapse", "blockage")
KNOWN_KINDS = (*DROP_KINDS, "silent_node", "gateway")
FRESH_S = 5000.0  # what arrives later than that no longer rings
TOLD_S = 900.0  # from the second reading that shows it to the alarm
ALARMED_S = 3600.0
MENDED_BY_HAND = ("clock_2036_believed", "unreadable_message")
DAY_MS, HOURS_MS = 86_400_000, 10_800_000
USUAL_LEAST = 30  # readings in the hours before a loss: fewer say nothing about it
STAMP_SLACK_MS = 1500  # beyond the promise: see docs/faults.md
QUEUED_MS = 9_000_000
PATIENCE_MS = 1_500_000  # of a message while the last fault is over


@dataclass
class Verdict:
    """What became of everything; `faults` are broken promises."""

    seed: int
    kinds: list[str] = field(default_factory=list)
    measured: int = 0
    stored: int = 0
    cut_short: int = 0
    pending: int = 0
    missing: int = 0  # named by the ledger, with a reason
    lost: int = 0
    doubled: int = 0
    late_stamps: int = 0
    redelivered: int = 0
    alarms_right: int = 0
    alarms_wrong: int = 0
    alarms_lost: int = 0
    alarms_unknowable: int = 0  # the loss was nobody's to know in time
    alarm_s: float | None = None
    texts: int = 0
    copies_marked: int = 0
    copies_unmarked: int = 0
    database_lacks: int = 0
    recovery_s: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def judge(schedule: Schedule, life: FaultLife, trouble: Trouble, said: str, flash: Path) -> Verdict:
    """Hold what the gateway has against what is true."""
    site = trouble.site
    found = Verdict(schedule.seed, [h.kind for h in schedule.happenings])
    _readings(found, life, trouble, said, flash)
    with contextlib.closing(village_store.open_village(site.data / "village.db")) as conn:
        _alarms(found, life, site, conn)
        _texts(found, site, conn)
        _database(found, site, conn)
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
    if found.doubled:
        found.faults.append(f"doubled: {found.doubled}")
    if found.pending:
        found.faults.append(f"still pending at the end: {found.pending}")
    if found.missing and "clock_2036_believed" not in found.kinds:
        found.faults.append(f"missing, named: {closed}")
    if seen.open:
        found.faults.append(f"gaps left open: {seen.open}")
    stamps = [s for s in stamps if not _excused(found, str(s[2]), int(str(s[3])), int(str(s[4])))]
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
    bad = book.count("SELECT count(*) FROM quarantine WHERE topic LIKE '%/00000bad'")
    if bad < trouble.unreadable:
        found.faults.append(f"of {trouble.unreadable} unreadable messages {bad} were kept")
    book.close()


def _excused(found: Verdict, kind: str, error_ms: int, most_ms: int) -> bool:
    """Counted as off, and known: docs/faults.md says why."""
    if kind.startswith("dated") and any(
        k.startswith(("intake", "broker", "disk")) for k in found.kinds
    ):
        return abs(error_ms) < most_ms + QUEUED_MS  # so long its hello waited in the broker
    return abs(error_ms) <= most_ms + STAMP_SLACK_MS


def _alarms(found: Verdict, life: FaultLife, site: Site, conn: sqlite3.Connection) -> None:
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
    usual = [w for w in life.wakes if w.measured_ms < life.fall_ms and w.on_flash]
    if sum(w.measured_ms > life.fall_ms - HOURS_MS for w in usual) < USUAL_LEAST:
        return None  # nobody knows what is usual here
    low = [w.measured_ms for w in life.wakes if w.measured_ms >= life.fall_ms and w.on_flash]
    if len(low) < 2:
        return None
    for ms in life.whole_ms:
        came = [m for m in low if m <= ms]
        if len(came) >= 2 and ms - came[-2] <= FRESH_S * 1000:
            left_ms = site.time.now_ms() - ms
            early = ms - life.fall_ms <= ALARMED_S * 1000
            return float(ms) if early and left_ms > TOLD_S * 1000 else None
    return None


def _texts(found: Verdict, site: Site, conn: sqlite3.Connection) -> None:
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


def _database(found: Verdict, site: Site, conn: sqlite3.Connection) -> None:
    """Every value that is final lies in the database, once."""
    values = {
        (row["ts"], row["quantity"])
        for row in conn.execute(
            "SELECT ts, quantity FROM value WHERE q < 4 AND manual=0"
            " AND ts NOT IN (SELECT ts FROM estimated WHERE ts > ?)",
            (told_upto(conn),),
        )
    }
    there = {
        (ts, name)
        for (key, ts), fields in site.database.points.items()
        if key.startswith("water")
        for name in fields
    }
    found.database_lacks = len(values - there)
    if found.database_lacks:
        found.faults.append(f"the database lacks {found.database_lacks} of {len(values)} values")


def _recovery(found: Verdict, schedule: Schedule, life: FaultLife) -> None:
    """From the end of each happening to the next receipt that left nothing open."""
    for each in schedule.happenings:
        end_ms = life.weather.begin_ms + each.to_s * 1000
        after = [ms for ms in life.whole_ms if ms >= end_ms]
        if after:
            found.recovery_s[each.kind] = round((after[0] - end_ms) / 1000, 1)
