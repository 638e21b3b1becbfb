# SPDX-License-Identifier: MIT
"""Hears what people write and how the ways to them are: one thread a channel, none stops another.

What came is stored first and only then taken off the SIM, or confirmed to Telegram. A way that is
broken is an alarm of its own, which the other ways tell.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.loop import answers as alarm_answers
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.loop import store as loop_store
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.personal import Incoming, PersonalChannel
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_water.site import Plan

PAUSE_S = 10.0  # between two looks: the modem is also there to send
BROKEN = "alarm_path"

log = logging.getLogger(__name__)


class Listener:
    """One channel; `step` is one look and can be called by a test."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        clock: Clock,
        channel: PersonalChannel,
        tells: alarm_book.Tells,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._path, self._plan, self._clock = path, plan, clock
        self._channel, self._tells, self._pause_s = channel, tells, pause_s

    def open(self) -> sqlite3.Connection:
        return loop_store.connect(self._path)

    def take(self, conn: sqlite3.Connection, said: Incoming, now: int) -> str | None:
        """Do what was written; None for what was known already."""
        return alarm_answers.take(conn, self._plan, said, now, self._tells)

    def run(self, stop: threading.Event) -> None:
        conn = self.open()
        try:
            while not stop.is_set():
                self.step(conn)
                stop.wait(self._pause_s)
        finally:
            conn.close()

    def step(self, conn: sqlite3.Connection) -> int:
        """How many new messages there were."""
        new = 0
        try:
            for said in self._channel.receive():
                with loop_store.transaction(conn):
                    now = self._clock.now_ms()
                    did = self.take(conn, said, now)
                new += did is not None
                self._channel.done(said)
        except DeliveryError as error:
            log.info("%s: %s", self._channel.name, error)
        self._watch(conn)
        return new

    def _watch(self, conn: sqlite3.Connection) -> None:
        health = self._channel.health()
        now, name = self._clock.now_ms(), self._channel.name
        opened = alarm_book.open_alarm(conn, BROKEN, name)
        waits = conn.execute(
            "SELECT 1 FROM candidate WHERE kind=? AND place=?", (BROKEN, name)
        ).fetchone()
        stands = waits is not None or (opened is not None and opened.calm is None)
        if health.ok != stands:
            return
        what = CLEARED if health.ok else RAISED
        finding = Finding(what, BROKEN, name, now, evidence={"says": health.says})
        with loop_store.transaction(conn):
            findings.apply(conn, [finding], self._plan, now, self._tells)
