# SPDX-License-Identifier: MIT
"""Keeps every open alarm moving: delays, shelves, the tree of causes, proof, who is told next.

It only reads and writes the store; what it decides lies there before anybody is told, so that a
channel that hangs cannot stop it. `tick` is the whole of it and can be called by a test.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kahriz_alarms import dispatch, kinds, states, tree
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import clock as alarm_clock
from kahriz_alarms.loop import findings
from kahriz_alarms.loop import post as alarm_post
from kahriz_alarms.loop import quiet as alarm_quiet
from kahriz_alarms.loop import store as loop_store
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.loop.post import ROUTINE, URGENT
from kahriz_detect.finding import Finding
from kahriz_water.site import Plan

PAUSE_S = 1.0
HOUR_MS = 3_600_000
ASKING = ("raised", "escalated", "reopened", "back", "left", "unshelved", "imported")
NEWS_CURSOR = "alarm:news"

log = logging.getLogger(__name__)


class Keeper:
    """`tells` are the events that broadcast channels want. What a house knows more, its own keeper
    says by `open`, `look`, `begin`, `cause` and `lacks`.
    """

    def __init__(self, path: Path, plan: Plan, clock: Clock, tells: alarm_book.Tells) -> None:
        self._path = path
        self._plan = plan
        self._clock = clock
        self._tells = tells
        self._last_ms: int | None = None

    def open(self) -> sqlite3.Connection:
        return loop_store.connect(self._path)

    def look(self, conn: sqlite3.Connection, now: int) -> None:
        """Raise and clear what is judged here, before alarms are moved on."""

    def begin(self, conn: sqlite3.Connection, finding: Finding, now: int) -> Alarm:
        """A new alarm for a finding that has lasted."""
        return findings.raise_alarm(conn, finding, self._plan, now, self._tells)

    def cause(self, alarm: Alarm, causes: Iterable[Alarm]) -> Alarm | None:
        """The open alarm that explains this one."""
        return tree.parent(alarm, causes, self._plan)

    def lacks(self, conn: sqlite3.Connection, alarm: Alarm, now: int) -> dict[str, str]:
        """What the proof of an alarm of the water still lacks."""
        return _not_over(alarm)

    def run(self, stop: threading.Event) -> None:
        conn = self.open()
        try:
            while not stop.wait(PAUSE_S):
                self.tick(conn)
        finally:
            conn.close()

    def tick(self, conn: sqlite3.Connection) -> None:
        """Do what is due at this moment, all of it in one transaction."""
        now = self._clock.now_ms()
        went_on = self._last_ms is not None and now >= self._last_ms
        with loop_store.transaction(conn):
            if self._clock.trusted() and not went_on:
                alarm_clock.put_right(conn, now)
            self._candidates(conn, now)
            self._unshelve(conn, now)
            self.look(conn, now)
            self._tree(conn, now)
            for alarm in alarm_book.open_alarms(conn):
                if alarm.calm is not None or alarm.state == states.REPORTED_FIXED:
                    self._end(conn, alarm, now)
            for alarm in alarm_book.open_alarms(conn):
                self._ask(conn, alarm, now)
            self._news(conn, now)
        self._last_ms = now

    def _step(
        self,
        conn: sqlite3.Connection,
        alarm: Alarm,
        what: str,
        now: int,
        note: str | None = None,
        data: dict[str, object] | None = None,
        at: int | None = None,
    ) -> Alarm:
        when = now if at is None else at
        return findings.step(conn, alarm, what, when, self._tells, now, note=note, data=data)

    def _candidates(self, conn: sqlite3.Connection, now: int) -> None:
        for finding in findings.candidates(conn, now):
            findings.forget(conn, finding.kind, finding.place)
            if alarm_book.open_alarm(conn, finding.kind, finding.place) is None:
                self.begin(conn, finding, now)

    def _unshelve(self, conn: sqlite3.Connection, now: int) -> None:
        for alarm in alarm_book.open_alarms(conn):
            if alarm.shelved_until is not None and now >= alarm.shelved_until:
                self._step(conn, alarm, "unshelved", now)

    def _tree(self, conn: sqlite3.Connection, now: int) -> None:
        opened = alarm_book.open_alarms(conn)
        causes = [a for a in opened if a.calm is None]
        known = {a.id for a in opened}
        for alarm in opened:
            above = self.cause(alarm, causes)
            if above is not None and alarm.parent != above.id:
                self._step(conn, alarm, "joined", now, data={"parent": above.id})
            elif above is None and alarm.parent is not None:
                lasting = alarm.parent in known and alarm.calm is None
                if not lasting:  # while the parent is calm its children have time to be heard
                    self._step(conn, alarm, "left", now)

    def _end(self, conn: sqlite3.Connection, alarm: Alarm, now: int) -> None:
        """What is over, or said to be mended, ends when it has lasted and is proved."""
        rules = kinds.of(alarm.kind)
        wait = kinds.off_delay_ms(alarm.kind, self._plan.alarms.off_delay_minutes)
        lasted = alarm.calm_stored is not None and not 0 <= now - alarm.calm_stored < wait
        if alarm.calm is not None and not lasted:
            return
        lacks = self.lacks(conn, alarm, now) if rules.proof else _not_over(alarm)
        if not lacks:
            self._proved(conn, alarm, now)
        elif alarm.state == states.REPORTED_FIXED:
            self._not_yet(conn, alarm, lacks, now)

    def _proved(self, conn: sqlite3.Connection, alarm: Alarm, now: int) -> None:
        at = max(alarm.calm if alarm.calm is not None else now, alarm.raised)
        if alarm.state != states.REPORTED_FIXED:
            self._step(conn, alarm, "cleared", now, at=at)
            return
        alarm = self._step(conn, alarm, "verified", now)
        self._step(conn, alarm, "closed", now, data={"cause": alarm.cause})

    def _not_yet(
        self, conn: sqlite3.Connection, alarm: Alarm, lacks: dict[str, str], now: int
    ) -> None:
        note = json.dumps(lacks, ensure_ascii=False)
        if alarm.fixed is not None and now - alarm.fixed >= self._plan.alarms.proof_hours * HOUR_MS:
            self._step(conn, alarm, "reopened", now, note=note)
            return
        said = conn.execute(
            "SELECT data FROM alarm_event WHERE alarm=? AND what IN ('unproved', 'fixed')"
            " ORDER BY id DESC LIMIT 1",
            (alarm.id,),
        ).fetchone()
        known = json.loads(said["data"]).get("lacks") if said is not None else None
        if known != sorted(lacks):  # in another way than before: figures move all the time
            data: dict[str, object] = {"lacks": sorted(lacks)}
            self._step(conn, alarm, "unproved", now, note=note, data=data)

    def _ask(self, conn: sqlite3.Connection, alarm: Alarm, now: int) -> None:
        if alarm.calm is not None and not kinds.of(alarm.kind).proof:
            return  # over, and only to last a while: nobody new is sent for it
        plan = self._plan
        if alarm.urgent and (quiet := alarm_quiet.asked_by(conn, alarm.id, now)):
            plan = replace(plan, people=tuple(p for p in plan.people if p.id not in quiet))
        told, reached = alarm_post.told(conn, alarm), alarm_post.reached_ms(conn, alarm.id)
        ask = dispatch.next_ask(alarm, told, plan, now, reached)
        if ask is None:
            return
        if ask.escalated:
            data: dict[str, object] = {"again": True} if ask.again else {}
            if alarm.state in states.TAKEN:
                data["late"] = True  # the repair: from here on an answer is waited for anew
            alarm = self._step(conn, alarm, "escalated", now, note=ask.person, data=data)
        if ask.person is None:
            return
        event = alarm_book.newest_event(conn, alarm.id, ASKING)
        sort = URGENT if alarm.urgent else ROUTINE
        alarm_post.enclose(conn, ask.person, sort, event, alarm.id, True, now)

    def _news(self, conn: sqlite3.Connection, now: int) -> None:
        """Who was told of an alarm also hears how it went on."""
        done = loop_store.get_cursor(conn, NEWS_CURSOR)
        marks = ",".join("?" * len(dispatch.NEWS))
        rows = conn.execute(
            f"SELECT id, alarm, what, who FROM alarm_event WHERE id > ? AND what IN ({marks})"  # noqa: S608
            " ORDER BY id",
            (done, *dispatch.NEWS),
        ).fetchall()
        newest = conn.execute("SELECT coalesce(max(id), 0) FROM alarm_event").fetchone()[0]
        for row in rows:
            alarm = alarm_book.load(conn, row["alarm"])
            assert alarm is not None
            soon = alarm.urgent and row["what"] in dispatch.SOON
            if row["what"] in dispatch.SOON and not soon:
                continue
            for person in alarm_post.was_told(conn, alarm.id):
                if person != row["who"]:
                    sort = URGENT if soon else ROUTINE
                    alarm_post.enclose(conn, person, sort, row["id"], alarm.id, False, now)
        if newest > done:
            loop_store.set_cursor(conn, NEWS_CURSOR, newest)


def _not_over(alarm: Alarm) -> dict[str, str]:
    return {} if alarm.calm is not None else {"loss": "not over yet"}
