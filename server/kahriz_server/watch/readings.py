# SPDX-License-Identifier: MIT
"""The newest reading of each kahriz, asked from InfluxDB every few minutes."""

from __future__ import annotations

import http.client
import logging
import threading
from pathlib import Path

from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.service import secret_file
from kahriz_server.influxql import Auth, QueryDoor
from kahriz_server.watch import store
from kahriz_server.watch.keeper import Answer, note_data
from kahriz_water.site import Influx

EVERY_S = 300.0
AGAIN_S = 30.0
BACK_DAYS = 60  # a kahriz without a reading for longer has none
AHEAD_MS = 300_000  # what a clock that is ahead has dated is no news
TIMEOUT_S = 20.0

log = logging.getLogger(__name__)


def auth_of(influx: Influx) -> Auth:
    """ConfigError when a secret cannot be read."""
    if influx.token_file is not None:
        return secret_file.read(influx.token_file).decode()
    if influx.user is not None and influx.password_file is not None:
        return influx.user, secret_file.read(influx.password_file).decode()
    return None


def newest(door: QueryDoor, now: int) -> Answer:
    """The last line of every site; what lies in the future is left out."""
    span = f"time > {now}ms - {BACK_DAYS}d AND time <= {now + AHEAD_MS}ms"
    query = f'SELECT "q" FROM "water" WHERE {span} GROUP BY "site" ORDER BY time DESC LIMIT 1'  # noqa: S608
    try:
        series, error = door.ask(query)
    except http.client.HTTPException as broken:
        return Answer({}, f"InfluxDB breaks off: {broken!r}")
    if error:
        return Answer({}, error)
    return Answer({each["tags"]["site"]: int(each["values"][0][0]) for each in series})


class ReadingsWatch:
    """Keeps the answer in the store; the keeper judges it."""

    def __init__(self, data: Path, influx: Influx, clock: Clock) -> None:
        self._data, self._clock = data, clock
        self._door = QueryDoor(influx.url, auth_of(influx), influx.bucket, TIMEOUT_S)

    def run(self, stop: threading.Event) -> None:
        conn = store.open_office(self._data)
        said = ""
        try:
            while not stop.is_set():
                answer = newest(self._door, self._clock.now_ms())
                with store.transaction(conn):
                    note_data(conn, answer, self._clock.now_ms())
                if (answer.error or "") != said:
                    said = answer.error or ""
                    log.warning("InfluxDB: %s", said or "answers again")
                stop.wait(EVERY_S if answer.error is None else AGAIN_S)
        finally:
            conn.close()
