# SPDX-License-Identifier: MIT
"""The gateway's watch over itself: notices, disk, mains, trouble; each an alarm while it lasts."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway import limits, notify_sign, ups
from kahriz_gateway.certificate_ends import about_to_end
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.notices import Word, words
from kahriz_water.site import Plan

EVERY_MS = 10_000  # of the gateway's clock, between two looks
HOUR_MS = 3_600_000
AGAIN_MS = 86_400_000  # a state that lasts rings again a day after a person has closed it
STATES = (
    *("second_gateway", "store", "disk_half", "disk_nearly_full", "mains", "mains_ending"),
    "certificate",
)
OURS = (*STATES, "twin", "journal_replaced", "ledger_recounted", "restored", "clock_went_back")

log = logging.getLogger(__name__)


class Upkeep:
    """Called by the village's loop when it has nothing else to do."""

    def __init__(
        self, conn: sqlite3.Connection, plan: Plan, data_dir: Path, tells: village_alarms.Tells
    ) -> None:
        self._conn = conn
        self._plan = plan
        self._data = data_dir
        self._tells = tells
        self._looked_ms: int | None = None
        self._power: ups.Power | None = None
        self._started = True
        self._ends: str | None = None  # a certificate that does, and when it was looked for
        self._ends_ms: int | None = None
        kept = village_store.get_state(conn, "power")
        if kept is not None:
            self._power = ups.Power(**kept)

    def look(self, readings: sqlite3.Connection | None, now_ms: int) -> None:
        """Raise what has begun, clear what is over."""
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < EVERY_MS:
            return
        self._looked_ms = now_ms
        wanted = [*self._notices(readings, now_ms), *self._states(now_ms)]
        known = {(w.kind, w.place): w for w in reversed(wanted)}
        standing_now = village_alarms.open_alarms(self._conn)
        mine = [a for a in standing_now if a.kind in OURS and a.calm is None]
        standing = {(a.kind, a.place) for a in mine}
        news = [
            Finding(RAISED, w.kind, w.place, w.at, evidence={"detail": w.detail})
            for key, w in known.items()
            if key not in standing and not self._told(w, now_ms)
        ]
        news += [
            Finding(CLEARED, a.kind, a.place, max(now_ms, a.raised))
            for a in mine
            if (a.kind, a.place) not in known
        ]
        if news:
            with village_store.transaction(self._conn):
                village_alarms.apply(self._conn, news, self._plan, now_ms, self._tells)

    def _notices(self, readings: sqlite3.Connection | None, now_ms: int) -> list[Word]:
        if readings is None:
            return []
        kept = village_store.get_state(self._conn, "undated_notices") or {}
        undated = dict(kept)
        found = words(readings, self._plan, undated, now_ms)
        if undated != kept:
            village_store.set_state(self._conn, "undated_notices", undated)
        return found

    def _states(self, now_ms: int) -> list[Word]:
        """What is so now, whatever was noted."""
        found = {**self._intake(), **self._disk(now_ms), **self._mains(now_ms)}
        found.update(self._certificate(now_ms))
        return [Word(kind, self._plan.id, now_ms, detail) for kind, detail in found.items()]

    def _intake(self) -> dict[str, str]:
        said = notify_sign.read(self._data, "intake") or {}
        named = {"store": said.get("trouble"), "second_gateway": said.get("rival")}
        return {kind: str(text) for kind, text in named.items() if text}

    def _certificate(self, now_ms: int) -> dict[str, str]:
        tls = self._plan.broker.tls
        if tls is None:
            return {}
        if self._ends_ms is None or not 0 <= now_ms - self._ends_ms < HOUR_MS:
            self._ends_ms, self._ends = now_ms, about_to_end(tls, "village", now_ms)
        return {} if self._ends is None else {"certificate": self._ends}

    def _disk(self, now_ms: int) -> dict[str, str]:
        room = limits.room(self._data)
        kept = village_store.get_state(self._conn, "room") or []
        samples = limits.remember(kept, now_ms, room.free)
        if samples != kept:
            village_store.set_state(self._conn, "room", samples)
        if room.share < limits.HALF:
            return {}
        days = limits.days_left(samples, now_ms, room.free)
        lasts = "" if days is None else f", {days:.0f} days at the present pace"
        detail = f"{room.share:.0%} of the room is used, {room.free // 1_000_000} MB free{lasts}"
        return {"disk_nearly_full" if room.share >= limits.NEARLY else "disk_half": detail}

    def _mains(self, now_ms: int) -> dict[str, str]:
        plan = self._plan.ups
        mains = None if plan is None else ups.on_mains(plan)
        if plan is None or mains is None:
            return {}
        before = self._power
        if before is not None and self._started:
            before = replace(before, at_ms=now_ms)  # while we were off nothing was used up
        self._started = False
        self._power = ups.after(before, mains, now_ms)
        if before is None or before.on_mains != mains or not mains:
            village_store.set_state(self._conn, "power", asdict(self._power))
        self._ask_for_the_end(self._power.ends(plan))
        if mains:
            return {}
        hours = self._power.hours_left(plan)
        found = {"mains": f"{hours:.1f} hours left on the battery"}
        if self._power.ends(plan):
            found["mains_ending"] = f"{hours:.1f} hours left: the gateway switches itself off"
        return found

    def _ask_for_the_end(self, wanted: bool) -> None:
        """The file that kahriz-power-off.path waits for, and `gateway run` too."""
        path = ups.end_file(self._data)
        if wanted and not path.exists():
            log.error("the battery is nearly empty: asking for a clean end")
            path.touch()
        elif not wanted:
            path.unlink(missing_ok=True)

    def _told(self, word: Word, now_ms: int) -> bool:
        """Whether a person has closed the alarm of this very notice, or of this state today."""
        last = self._conn.execute(
            "SELECT max(raised), max(closed) FROM alarm WHERE kind=? AND place=?"
            " AND closed IS NOT NULL AND state='closed'",
            (word.kind, word.place),
        ).fetchone()
        if last[0] is None:
            return False
        if word.at < now_ms:  # a notice
            return bool(last[0] >= word.at)
        by_hand = self._conn.execute(
            "SELECT max(e.at) FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
            " WHERE a.kind=? AND a.place=? AND e.what='closed'",
            (word.kind, word.place),
        ).fetchone()[0]
        return by_hand is not None and now_ms - by_hand < AGAIN_MS
