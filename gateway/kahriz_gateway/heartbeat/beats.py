# SPDX-License-Identifier: MIT
"""Sends heartbeats beside the village, and never harms it: a thread, a deadline, pauses.

A server that is gone for a day is told to this gateway's own crew by the alarm `office`; the
village goes on without it.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from kahriz_alarms.heartbeat import key
from kahriz_alarms.heartbeat.beat import MOST_N, Beat
from kahriz_alarms.service import kept_secret
from kahriz_gateway.alarms.office import OfficeWatch
from kahriz_gateway.clock import Clock
from kahriz_gateway.heartbeat.collect import collect
from kahriz_gateway.heartbeat.post import PostError, post
from kahriz_gateway.village import store as village_store
from kahriz_water.site import OfficeServer, Plan

KEY_FILE = "heartbeat.key"
DEADLINE_S = 60.0  # for one try, however slowly the other side drips
FIRST_PAUSE_S = 60.0  # after a failure; doubled up to the usual pause
SPREAD = 0.1  # thousands of gateways do not come in one second

log = logging.getLogger(__name__)

Post = Callable[[Beat, str, OfficeServer], None]


class Heartbeats:
    """`step` sends one and says how long to wait; it can be called by a test."""

    def __init__(
        self,
        plan: Plan,
        office: OfficeServer,
        data: Path,
        clock: Clock,
        watch: OfficeWatch,
        send: Post = post,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._plan, self._office, self._data, self._clock = plan, office, data, clock
        self._watch, self._send, self._deadline_s = watch, send, deadline_s
        self._seed: str | None = None
        self._newest = -1
        self._failures = 0
        self._said = ""
        self._trying: threading.Thread | None = None

    def run(self, stop: threading.Event) -> None:
        conn = village_store.open_village(self._data / "village.db")
        try:
            stop.wait(random.uniform(1.0, 5.0))  # after the first pass
            while not stop.is_set():
                stop.wait(self.step(conn))
        finally:
            conn.close()

    def step(self, conn: sqlite3.Connection) -> float:
        """Seconds until the next one."""
        wrong = self._try()
        usual_s = 60 * self._office.every_minutes * random.uniform(1 - SPREAD, 1 + SPREAD)
        if wrong is None:
            if self._said:
                log.info("the office's server hears us again")
            self._said, self._failures = "", 0
            self._watch.worked(conn)
            return usual_s
        if wrong != self._said:
            log.warning("heartbeat: %s; trying again", wrong)
            self._said = wrong
        self._failures += 1
        self._watch.failed(conn, wrong)
        return min(FIRST_PAUSE_S * (1 << min(self._failures - 1, 10)), usual_s)

    def _try(self) -> str | None:
        """Send one within the deadline; what went wrong, None when it was heard."""
        if self._trying is not None and self._trying.is_alive():
            return f"{self._office.url} has not answered for a long time"
        ended: list[str | None] = []
        self._trying = threading.Thread(
            target=lambda: ended.append(self._once()), name="heartbeat", daemon=True
        )
        self._trying.start()
        self._trying.join(self._deadline_s)
        if not ended:
            return f"{self._office.url} does not answer within {self._deadline_s:.0f} s"
        return ended[0]

    def _once(self) -> str | None:
        try:
            if self._seed is None:
                self._seed = seed_of(self._data)
                log.info("this gateway's public key: %s", key.public(self._seed))
            try:
                self._post(self._seed)
            except PostError as error:
                if error.newest is None or error.newest < self._newest:
                    return str(error)
                self._newest = error.newest  # a new card, or a clock that was put back
                self._post(self._seed)
        except (PostError, OSError, key.KeyFormatError) as error:
            return str(error)
        return None

    def _post(self, seed: str) -> None:
        n = min(max(self._newest + 1, self._clock.now_ms(), 0), MOST_N)
        self._send(collect(self._plan, self._data, self._clock, n), seed, self._office)
        self._newest = n


def seed_of(data: Path) -> str:
    """This gateway's own key; made at the first start."""
    return kept_secret.kept(data, KEY_FILE)
