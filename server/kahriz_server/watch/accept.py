# SPDX-License-Identifier: MIT
"""A heartbeat that has arrived: read, its signature proved, kept, answered. No network here."""

from __future__ import annotations

import json
import logging
import sqlite3
from dataclasses import dataclass

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_server.watch import store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered over HTTP."""

    status: int
    body: bytes
    content_type: str = "application/json"


def answer(status: int, **words: object) -> Said:
    return Said(status, json.dumps(words).encode())


class Acceptor:
    """Takes heartbeats one after the other; `trouble` is why nothing can be kept, if so."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self.trouble: str | None = None
        self.counts = {200: 0, 400: 0, 401: 0, 409: 0, 503: 0}

    def take(self, body: bytes, signature: str, now: int) -> Said:
        said = self._take(body, signature, now)
        self.counts[said.status] += 1
        return said

    def _take(self, body: bytes, signature: str, now: int) -> Said:
        try:
            beat = wire.read(body)
        except wire.BeatError as error:
            return answer(400, error=str(error))
        try:
            known = store.gateway(self._conn, beat.site)
            if known is None or not key.verify(known.key, signature, body):
                return answer(401, error="no gateway of this name has signed this")
            with store.transaction(self._conn):
                new = store.hear(self._conn, beat, now)
            if not new:
                return answer(409, error="heard before", newest=known.n)
        except sqlite3.Error as error:
            if self.trouble is None:
                log.error("heartbeats cannot be kept: %s", error)
            self.trouble = str(error)
            return answer(503, error="it cannot be kept now")
        self.trouble = None
        return answer(200, now=now)
