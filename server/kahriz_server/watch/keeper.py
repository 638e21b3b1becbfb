# SPDX-License-Identifier: MIT
"""The office's keeper of alarms: the same loop as a village's, over gateways instead of nodes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import book, findings, keeper
from kahriz_alarms.loop.clock import Clock
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_server.watch import judge, store
from kahriz_server.watch.config import Office
from kahriz_server.watch.judge import Senses, Wrong

LOOK_MS = 10_000
ALIVE, DEAF, DATA = "alive_ms", "deaf_until", "data"
AWAY_MS = 5 * 60_000  # not running for longer than this is no hearing
ALIVE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What InfluxDB said when it was asked last: the newest readings, or why there are none."""

    newest: dict[str, int]
    error: str | None = None


class OfficeKeeper(keeper.Keeper):
    """Judges every ten seconds of the clock it is handed."""

    def __init__(self, path: Path, office: Office, clock: Clock, tells: book.Tells) -> None:
        super().__init__(path, office.plan, clock, tells)
        self._office = office
        self._looked: int | None = None
        self._causes: dict[str, tuple[str, ...]] = {}  # of many, by place: the kinds it explains
        self._regions: dict[str, store.Gateway] = {}

    def look(self, conn: sqlite3.Connection, now: int) -> None:
        if self._looked is not None and 0 <= now - self._looked < LOOK_MS:
            return
        senses = self._senses(conn, now)
        self._looked = now
        store.put_right(conn, now)
        gateways = store.gateways(conn)
        wanted = judge.judge(gateways, senses, self._office.rules, now)
        self._regions = {each.site: each for each in gateways}
        self._causes = {w.place: w.explains for w in wanted if w.kind == judge.MANY}
        self._apply(conn, wanted, now)

    def cause(self, alarm: Alarm, causes: Iterable[Alarm]) -> Alarm | None:
        """What struck many at once is told instead of each; the office before a region."""
        above = [
            each
            for each in causes
            if each.kind == judge.MANY
            and alarm.kind in self._causes.get(each.place, ())
            and judge.explains(each.place, self._regions.get(alarm.place), self._plan.id)
        ]
        return min(above, key=lambda each: (each.place != self._plan.id, each.id), default=None)

    def _apply(self, conn: sqlite3.Connection, wanted: Iterable[Wrong], now: int) -> None:
        known = {(w.kind, w.place): w for w in wanted}
        standing = {
            (a.kind, a.place): a
            for a in book.open_alarms(conn)
            if a.kind in judge.KINDS and a.calm is None
        }
        waiting = {key for key in findings.waiting(conn) if key[0] in judge.KINDS}
        news = [
            Finding(RAISED, w.kind, w.place, now, evidence=_evidence(w))
            for key, w in known.items()
            if key not in standing and key not in waiting and not self._closed_today(conn, w, now)
        ]
        over = (standing.keys() | waiting) - known.keys()
        news += [Finding(CLEARED, kind, place, now) for kind, place in sorted(over)]
        findings.apply(conn, news, self._plan, now, self._tells)

    def _closed_today(self, conn: sqlite3.Connection, wrong: Wrong, now: int) -> bool:
        """Whether a person has closed this very alarm within a day, although it lasts."""
        row = conn.execute(
            "SELECT max(e.stored) FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
            " WHERE a.kind=? AND a.place=? AND e.what='closed'",
            (wrong.kind, wrong.place),
        ).fetchone()
        return row[0] is not None and 0 <= now - row[0] < judge.DAY_MS and row[0] >= wrong.since

    def _senses(self, conn: sqlite3.Connection, now: int) -> Senses:
        """Since when we hear: a night switched off, or a clock that leapt, begins it anew."""
        alive = store.get_state(conn, ALIVE)
        deaf = store.get_state(conn, DEAF)
        looked = self._looked if self._looked is not None else alive
        if deaf is None or looked is None or not 0 <= now - looked < AWAY_MS or deaf > now:
            deaf = now
            store.set_state(conn, DEAF, deaf)
        if alive is None or not 0 <= now - alive < ALIVE_MS:
            store.set_state(conn, ALIVE, now)
        if self._office.influx is None:
            return Senses(self._plan.id, deaf)
        said = store.get_state(conn, DATA)
        if said is None:
            return Senses(self._plan.id, deaf)
        return Senses(self._plan.id, deaf, said["ok"], min(said["since"], now), said["says"])


def note_data(conn: sqlite3.Connection, answer: Answer, now: int) -> None:
    """Keep what InfluxDB said, and since when it says so."""
    said = store.get_state(conn, DATA)
    ok = answer.error is None
    since = now if said is None or said["ok"] != ok else said["since"]
    store.put_readings(conn, answer.newest)
    store.set_state(conn, DATA, {"ok": ok, "since": since, "says": answer.error or ""})


def _evidence(wrong: Wrong) -> dict[str, float | str]:
    return {"since_ms": float(wrong.since), "says": wrong.says}
