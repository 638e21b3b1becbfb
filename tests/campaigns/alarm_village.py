# SPDX-License-Identifier: MIT
"""The alarm loop of a village on a time that the test turns: store, keeper, sender, one way out."""

from __future__ import annotations

from pathlib import Path

from kahriz_detect.finding import Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import Plan

from .alarm_run import Mail
from .alarm_time import T0_MS, Hand, Time


class Village:
    """A store, its keeper and its sender, all on one time; every person is reached by e-mail."""

    def __init__(self, path: Path, plan: Plan, start_ms: int = T0_MS) -> None:
        self.time, self.plan = Time(start_ms), plan
        self.conn = village_store.open_village(path)
        self.conn.execute("PRAGMA synchronous=OFF")
        self.words: dict[str, int] = {}
        self.keeper = Keeper(path, plan, self.time, {}, lambda: self.words)
        self.mail = Mail(self.time, 1)
        self.mail.down = False
        self.sender = PeopleSender(
            path, plan, self.time, [self.mail], {},
            hand_over=lambda channel, done: Hand(channel, done, self.time),
        )  # fmt: skip

    def find(self, *findings: Finding) -> None:
        with village_store.transaction(self.conn):
            village_alarms.apply(self.conn, findings, self.plan, self.time.now_ms(), {})

    def live(self, seconds: float, step_s: float = 1.0) -> None:
        end = self.time.at_s + seconds
        while self.time.at_s < end:
            self.keeper.tick(self.conn)
            self.sender.step(self.conn)
            self.time.at_s += step_s

    def waiting(self) -> bool:
        """Whether a message has not left yet."""
        return bool(
            alarm_post.in_state(self.conn, alarm_post.WAITING)
            or alarm_post.in_state(self.conn, alarm_post.SENDING)
        )

    def faithful(self) -> None:
        rows = self.conn.execute("SELECT * FROM alarm")
        assert alarm_book.rebuilt(self.conn) == {r["id"]: alarm_book.alarm_of(r) for r in rows}
