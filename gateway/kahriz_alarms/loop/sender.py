# SPDX-License-Identifier: MIT
"""Sends what is stored as pending, beside the loop that stores: kill -9 neither loses nor hides.

1. Mark the delivery as being tried, commit.
2. Send.
3. Mark it delivered, failed for now (try again later) or failed for good, commit.
A crash between 1 and 3 leaves "trying": it is sent again and says that it may be a repeat.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

from kahriz_alarms import states
from kahriz_alarms.alarm import Event
from kahriz_alarms.channels import Channel
from kahriz_alarms.delivery import DeliveryError, retry_after_ms
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.loop.store import connect, transaction
from kahriz_water.site import Plan

PAUSE_S = 0.5

log = logging.getLogger(__name__)


class Sender:
    """One thread over all channels; `send_due` is the whole of it and can be called by a test."""

    def __init__(self, path: Path, plan: Plan, clock: Clock, channels: list[Channel]) -> None:
        self._path = path
        self._plan = plan
        self._clock = clock
        self._channels: Mapping[str, Channel] = {c.name: c for c in channels}
        self.tells = {c.name: c.tells for c in channels}

    def open(self) -> sqlite3.Connection:
        return connect(self._path)

    def run(self, stop: threading.Event) -> None:
        conn = self.open()
        try:
            while not stop.wait(PAUSE_S):
                self.send_due(conn)
        finally:
            conn.close()

    def send_due(self, conn: sqlite3.Connection) -> int:
        """Send all that is due now, oldest event first; how many got through."""
        due = conn.execute(
            "SELECT d.*, e.alarm, e.at, e.what, e.who, e.note FROM delivery d"
            " JOIN alarm_event e ON e.id = d.alarm_event"
            " WHERE d.state IN ('pending', 'trying') AND d.next_ms <= ?"
            " ORDER BY d.alarm_event, d.channel",
            (self._clock.now_ms(),),
        ).fetchall()
        return sum(self._send(conn, row) for row in due)

    def _send(self, conn: sqlite3.Connection, row: sqlite3.Row) -> bool:
        alarm = alarm_book.load(conn, row["alarm"])
        channel = self._channels.get(row["channel"])
        if alarm is None or channel is None:
            self._mark(conn, row, "failed", "this channel is no longer in site.toml")
            return False
        again = row["state"] == "trying"
        event = Event(
            row["alarm_event"], alarm, row["at"], row["what"], row["who"], row["note"], again
        )
        self._mark(conn, row, "trying", None)
        try:
            channel.send(event, self._plan)
        except DeliveryError as error:
            tries = row["tries"] + 1
            state = "failed" if error.permanent else "pending"
            next_ms = self._clock.now_ms() + retry_after_ms(tries)
            self._mark(conn, row, state, str(error), tries, next_ms)
            log.warning("alarm %s by %s: %s", alarm.id, channel.name, error)
            return False
        self._mark(conn, row, "delivered", None, row["tries"] + 1)
        self._notified(conn, event, channel)
        return True

    def _mark(
        self,
        conn: sqlite3.Connection,
        row: sqlite3.Row,
        state: str,
        error: str | None,
        tries: int | None = None,
        next_ms: int = 0,
    ) -> None:
        with transaction(conn):
            conn.execute(
                "UPDATE delivery SET state=?, last_error=coalesce(?, last_error), tries=?,"
                " next_ms=? WHERE alarm_event=? AND channel=?",
                (
                    state,
                    error,
                    row["tries"] if tries is None else tries,
                    next_ms,
                    row["alarm_event"],
                    row["channel"],
                ),
            )

    def _notified(self, conn: sqlite3.Connection, event: Event, channel: Channel) -> None:
        """Somebody outside of this machine was told; the log alone tells nobody."""
        if event.what != "raised" or channel.name == "log":
            return
        with transaction(conn):
            now = alarm_book.load(conn, event.alarm.id)
            if now is not None and now.state == states.RAISED:
                findings.step(
                    conn, now, "notified", self._clock.now_ms(), self.tells, note=channel.name
                )
