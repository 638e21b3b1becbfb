# SPDX-License-Identifier: MIT
"""Intake: broker → bytes → one transaction for what has arrived → receipts after the commit.

paho's thread fills a bounded queue; this thread takes what is there, commits, acknowledges to
the broker and answers the nodes. A message that makes our own program fail goes to quarantine
alone. A full disk stops receipts and nothing else: the nodes keep what they have.
"""

from __future__ import annotations

import json
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kahriz_gateway.clock import EARLIEST_MS, Clock
from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.groups import Groups
from kahriz_gateway.intake.rival import Rival
from kahriz_gateway.intake.store import StoreError, get_meta, last_received_ms
from kahriz_gateway.intake.waiting import HELLO, Waiting
from kahriz_gateway.mqtt import Announcement, Arrival, Door
from kahriz_wire import topics

KINDS = ("hello", "up/+", "ack", "birth")
HAND_OVER_MOST = 2_000  # messages between paho and the store; more wait in the broker
GROUP_MOST = 500  # messages a transaction
BUSY_ROWS = 600  # rows a node may send beyond its newest batch while the queue is half full
_LINGER_S = 0.002  # a hello and its newest batch come together: one commit, not two
_WAIT_S = 5.0  # how long a full queue may hold paho's thread; well below its keepalive
_RETRY_S = (0.5, 15.0)  # first and longest pause between two tries to write on a full disk

log = logging.getLogger(__name__)


class Intake:
    """One site's intake; `arrived` is called in paho's thread, `run` is the thread that stores."""

    def __init__(
        self,
        path: Path,
        site: str,
        known: Callable[[str], bool],
        clock: Clock,
        earliest_ms: int = EARLIEST_MS,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = site
        self._clock = clock
        self._queue: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._trouble: str | None = None
        self._overflowed = False
        self._rival = Rival()
        self._waiting = Waiting(site, monotonic_s)
        self._pulse: Callable[[], None] = _nothing
        self._groups = Groups(path, site, known, clock, earliest_ms, self._waiting)
        self.store = get_meta(self._groups.conn, "store") or ""
        last_ms = last_received_ms(self._groups.conn)
        if last_ms is not None:
            clock.not_before(last_ms)
            if clock.trusted() and clock.now_ms() < last_ms:
                self._clock_went_back(last_ms)

    @property
    def filters(self) -> list[str]:
        return [f"{topics.ROOT}/{self._site}/+/{kind}" for kind in KINDS]

    @property
    def announcement(self) -> Announcement:
        topic = topics.of(self._site, topics.GATEWAY, "status")
        return Announcement(topic, self._status("online"), self._status("offline"))

    def arrived(self, arrival: Arrival) -> None:
        """Hand over one message. What finds no room is not acknowledged and comes again."""
        if len(arrival.payload) > quarantine.BODY_MOST:  # nothing readable is half so long
            arrival = arrival._replace(payload=arrival.payload[: quarantine.BODY_MOST])
        if arrival.topic.endswith(HELLO):
            arrival = self._waiting.arrives(arrival)
        if self._queue.qsize() >= HAND_OVER_MOST and not self._room():
            self._overflowed = True
            return
        self._queue.put(arrival)  # nobody else puts: it cannot have become full

    def _room(self) -> bool:
        """Wait until there is room; False when it takes too long or there will be none."""
        deadline = time.monotonic() + _WAIT_S
        while self._queue.qsize() >= HAND_OVER_MOST:
            patient = self._trouble is None and not self._stopping.is_set()
            if not patient or time.monotonic() > deadline:
                return False
            time.sleep(_LINGER_S)
        return True

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored just now."""
        return self._trouble

    @property
    def rival(self) -> str | None:
        """That a second gateway of this site is at work, in words."""
        return self._rival.words

    def status_heard(self, payload: bytes) -> None:
        """What anybody said on our own status topic; called in paho's thread."""
        self._rival.heard(payload)

    def run(
        self, door: Door, stop: threading.Event, pulse: Callable[[], None] | None = None
    ) -> None:
        """Until `stop`: take what has arrived, store it, answer; `pulse` with every turn."""
        self._pulse = pulse or _nothing
        try:
            while not stop.is_set() and self.turn(door, stop):
                pass
        finally:
            self._stopping.set()
            self._groups.conn.close()

    @property
    def waiting(self) -> bool:
        """Whether something has arrived that is not stored."""
        return not self._queue.empty()

    def turn(self, door: Door, stop: threading.Event) -> bool:
        """Wait a little for what arrives and store it; False when we are stopped before."""
        self._pulse()
        self._look_for_a_rival()
        self._waiting.look(door)
        group = self._take()
        if not group:
            self.idle(door)
        elif not self._store_at_last(group, door, stop):
            return False
        if self._overflowed and self._queue.empty():
            self._overflowed = False
            door.call_again()
        return True

    def idle(self, door: Door) -> None:
        """A turn in which nothing came."""
        self._waiting.look(door)
        self._waiting.silence(door)

    def _take(self) -> list[Arrival]:
        try:
            group = [self._queue.get(timeout=0.5)]
        except queue.Empty:
            return []
        if group[0].topic.endswith(HELLO) and self._queue.empty():
            time.sleep(_LINGER_S)
        try:
            while len(group) < GROUP_MOST:
                group.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return group

    def _store_at_last(self, group: list[Arrival], door: Door, stop: threading.Event) -> bool:
        """Store a group however long the disk refuses; False when we are stopped before."""
        pause_s = _RETRY_S[0]
        while True:
            try:
                if self._trouble is not None:
                    self._groups.reopen()
                due = self._groups.commit(group)
                break
            except (sqlite3.OperationalError, StoreError) as error:
                self._enter_trouble(door, str(error))
            self._pulse()
            if stop.wait(pause_s):
                return False
            pause_s = min(pause_s * 2, _RETRY_S[1])
        self._leave_trouble(door)
        busy = self._queue.qsize() > HAND_OVER_MOST // 2
        accept = self._groups.accept
        for key in due:
            answer = accept.receipt(key, BUSY_ROWS if busy else None)
            for topic, payload, retain in accept.errands.outbox():
                door.publish(topic, payload, retain, qos=1)
            if answer is not None:
                door.publish(*answer)
        door.ack(group)
        return True

    def _clock_went_back(self, last_ms: int) -> None:
        ahead_h = (last_ms - self._clock.now_ms()) / 3_600_000
        words = f"the network's time is {ahead_h:.1f} h before our last row: that one was wrong"
        log.error("%s", words)
        self._groups.note("clock_went_back", words)

    def _look_for_a_rival(self) -> None:
        now_s = time.monotonic()
        words = self._rival.news(now_s)
        if words is None:
            if self._rival.gone(now_s):
                log.warning("the second gateway is gone")
            return
        log.error("%s", words)
        self._note("second_gateway", words)

    def _note(self, kind: str, words: str) -> None:
        """What cannot be noted now is in the log, and in the state that is told while it is so."""
        try:
            self._groups.note(kind, words)
        except sqlite3.DatabaseError as error:
            log.error("could not note %s: %s", kind, error)

    def _enter_trouble(self, door: Door, text: str) -> None:
        if self._trouble is None:
            self._trouble = text
            log.error("cannot store (%s): no receipts until this is mended; nodes keep all", text)
            door.announce(self._status("online"))

    def _leave_trouble(self, door: Door) -> None:
        if self._trouble is not None:
            text, self._trouble = self._trouble, None
            log.warning("storing again (it was: %s)", text)
            self._note("store_refused", text)
            door.announce(self._status("online"))

    def _status(self, state: str) -> bytes:
        body = {"state": state, "store": self.store, "run": self._rival.run}
        if self._trouble is not None:
            body["trouble"] = self._trouble
        return json.dumps(body).encode()


def _nothing() -> None:
    """Where nobody listens to our pulse."""
