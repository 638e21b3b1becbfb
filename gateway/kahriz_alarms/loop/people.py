# SPDX-License-Identifier: MIT
"""Sends the stored messages to people: one thread a channel, a deadline for each try.

A try is written down before it begins. What hangs is given up after the deadline and its channel
is left out until it comes back; the other channels and the village go on.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from kahriz_alarms import attempts, messages, messages_sms, states
from kahriz_alarms.alarm import Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.loop import post as alarm_post
from kahriz_alarms.loop import store as loop_store
from kahriz_alarms.loop import weekly_test as alarm_test
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Message, PersonalChannel
from kahriz_water.site import Plan

PAUSE_S = 0.25
EMAIL = "email"  # the only way by which a link is sent
DEADLINE_S = 130.0  # for one try; two rings of 30 s and the modem's own start belong to one

log = logging.getLogger(__name__)

Done = queue.Queue[tuple["Job", str, str]]
Compose = Callable[[int, tuple[Event, ...], Plan, Person, bool, bool], Message]


class Links(Protocol):
    """Answers by link, for the end of an e-mail."""

    def text(self, events: Iterable[Event], to: Person, now_ms: int) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Job:
    message: Message
    to: Person
    n: int


class Hand(Protocol):
    """Takes jobs for one channel and says which of them have outlived the deadline."""

    def put(self, job: Job) -> None: ...
    def overdue(self, deadline_s: float) -> list[tuple[int, int]]: ...


class Worker:
    """One channel in its own thread; `stuck` while a try has outlived its deadline."""

    def __init__(self, channel: PersonalChannel, done: Done) -> None:
        self._channel = channel
        self._done = done
        self._jobs: queue.Queue[Job] = queue.Queue()
        self.since: dict[tuple[int, int], float] = {}  # (message, n) -> when it was handed over
        threading.Thread(target=self._work, name=f"to {channel.name}", daemon=True).start()

    def put(self, job: Job) -> None:
        self.since[job.message.id, job.n] = time.monotonic()
        self._jobs.put(job)

    def overdue(self, deadline_s: float) -> list[tuple[int, int]]:
        return [k for k, at in list(self.since.items()) if time.monotonic() - at > deadline_s]

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            state, error = attempt(self._channel, job)
            self.since.pop((job.message.id, job.n), None)
            self._done.put((job, state, error))


def attempt(channel: PersonalChannel, job: Job) -> tuple[str, str]:
    """One try: how it ended, and what went wrong."""
    try:
        channel.send(job.message, job.to)
    except DeliveryError as failed:
        state = attempts.PERMANENT if failed.permanent else attempts.PASSING
        return state, f"{failed}: {alarm_post.MAYBE}" if failed.unsure else str(failed)
    except Exception as broken:  # the outermost edge of a thread: the others must go on
        log.exception("channel %s", channel.name)
        return attempts.PASSING, f"{broken!r}: {alarm_post.MAYBE}"
    return attempts.DELIVERED, ""


class PeopleSender:
    """`step` does what is to be done now and can be called by a test."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        clock: Clock,
        channels: Iterable[PersonalChannel],
        tells: alarm_book.Tells,
        compose: Compose | None = None,
        deadline_s: float = DEADLINE_S,
        hand_over: Callable[[PersonalChannel, Done], Hand] | None = None,
        links: Links | None = None,
    ) -> None:
        self._links = links
        hand_over = hand_over or Worker
        self._path, self._plan, self._clock = path, plan, clock
        self._tells = tells
        self._compose = compose or by_text
        self._deadline_s = deadline_s
        self._done: Done = queue.Queue()
        self._results: list[tuple[Job, str, str]] = []  # until they are on the disk
        self._workers = {c.name: hand_over(c, self._done) for c in channels}

    def open(self) -> sqlite3.Connection:
        return loop_store.connect(self._path)

    def daily(self, conn: sqlite3.Connection, plan: Plan, now: int) -> None:
        """What is sent by itself beside alarms and the weekly test: a village's sign of life."""

    def chart(
        self, conn: sqlite3.Connection, events: Iterable[Event], plan: Plan, to: Person
    ) -> bytes | None:
        """The picture of a message, where there is one."""

    def run(self, stop: threading.Event) -> None:
        conn = self.open()
        try:
            self.start(conn)
            while not stop.wait(PAUSE_S):
                self.step(conn)
        finally:
            conn.close()

    def start(self, conn: sqlite3.Connection) -> None:
        with loop_store.transaction(conn):
            alarm_post.cut_off(conn)

    def step(self, conn: sqlite3.Connection) -> None:
        jobs: list[tuple[str, Job]] = []
        with loop_store.transaction(conn):
            self._take_results(conn)
            now = self._clock.now_ms()
            if self._workers and self._clock.trusted():
                alarm_test.weekly(conn, self._plan, now)
                self.daily(conn, self._plan, now)
            for post in alarm_post.in_state(conn, alarm_post.WAITING):
                self._freeze(conn, post, now)
            for post in alarm_post.in_state(conn, alarm_post.SENDING):
                jobs += self._go_on(conn, post, now)
        self._results.clear()
        for channel, job in jobs:  # written down and on the disk: now it may go
            self._workers[channel].put(job)

    def _take_results(self, conn: sqlite3.Connection) -> None:
        while not self._done.empty():
            self._results.append(self._done.get())
        for job, state, error in self._results:
            alarm_post.end_attempt(conn, job.message.id, job.n, state, error or None)
        for worker in self._workers.values():
            for message, n in worker.overdue(self._deadline_s):
                words = f"no word within {self._deadline_s:.0f} s: {alarm_post.MAYBE}"
                alarm_post.end_attempt(conn, message, n, attempts.PASSING, words)

    def _freeze(self, conn: sqlite3.Connection, post: alarm_post.Post, now: int) -> None:
        person = self._plan.person(post.person)
        if person is None:
            gone = "no longer in site.toml"
            alarm_post.set_state(conn, post.id, alarm_post.FAILED, now, error=gone)
        elif alarm_post.stale(conn, post):
            alarm_post.set_state(conn, post.id, alarm_post.DROPPED, now)
        elif alarm_post.due_ms(conn, post, self._plan, person, now) <= now:
            alarm_post.set_state(conn, post.id, alarm_post.SENDING)

    def _go_on(
        self, conn: sqlite3.Connection, post: alarm_post.Post, now: int
    ) -> list[tuple[str, Job]]:
        person = self._plan.person(post.person)
        if person is None:
            alarm_post.set_state(conn, post.id, alarm_post.FAILED, now)
            return []
        free = [n for n, w in self._workers.items() if not w.overdue(self._deadline_s)]
        if post.channel is not None:  # the answer goes back the way the question came
            person = replace(person, channels=(post.channel,))
        urgent = post.sort in (alarm_post.URGENT, alarm_post.TEST)
        way = attempts.next_way(person, urgent, alarm_post.attempts(conn, post.id), free, now)
        if way.outcome is not None:
            alarm_post.set_state(conn, post.id, way.outcome, now)
            if way.outcome == alarm_post.SENT:
                self._notified(conn, post, now)
            return []
        again = alarm_post.may_be_repeat(conn, post.id)
        message = self._message(conn, post, person, urgent, again)
        return [
            (channel, Job(message, person, alarm_post.begin_attempt(conn, post.id, channel, now)))
            for channel in way.channels
        ]

    def _message(
        self, conn: sqlite3.Connection, post: alarm_post.Post, to: Person, urgent: bool, again: bool
    ) -> Message:
        if post.text is not None:  # an answer or a test: its words are there already
            subject = self._plan.name.of(to.language)
            return Message(post.id, (), post.text, subject=subject, urgent=urgent, again=again)
        events = alarm_book.events(conn, alarm_post.event_ids(conn, post.id), again)
        made = self._compose(post.id, events, self._plan, to, urgent, again)
        made = replace(made, chart_svg=self.chart(conn, events, self._plan, to))
        if self._links is None or EMAIL not in to.channels:
            return made
        return replace(made, links=self._links.text(events, to, self._clock.now_ms()))

    def _notified(self, conn: sqlite3.Connection, post: alarm_post.Post, now: int) -> None:
        for event in alarm_book.events(conn, alarm_post.event_ids(conn, post.id), False):
            alarm = alarm_book.load(conn, event.alarm.id)
            if alarm is not None and alarm.state == states.RAISED:
                findings.step(conn, alarm, "notified", now, self._tells, now, note=post.person)


def by_text(
    ident: int, events: tuple[Event, ...], plan: Plan, to: Person, urgent: bool, again: bool
) -> Message:
    """A first part that fits one SMS, the rest beside it."""
    return replace(messages_sms.compose(ident, events, plan, to, again), urgent=urgent)


def plain(
    ident: int, events: tuple[Event, ...], plan: Plan, to: Person, urgent: bool, again: bool
) -> Message:
    """The events one under the other, in the person's language."""
    lines = [messages.short(event, plan, to.language) for event in events]
    return Message(
        ident, events, lines[0] if lines else "", "\n".join(lines), urgent=urgent, again=again
    )
