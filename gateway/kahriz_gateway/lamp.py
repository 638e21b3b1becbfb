# SPDX-License-Identifier: MIT
"""One word for a lamp in the village: kahriz/v1/<site>/gateway/lamp, retained, every minute anew.

    {"state": "quiet", "alarms": 0, "ts": 1790000000000}

`quiet` no open alarm (that is no word on the water) · `open` · `urgent` · `blind` readings or
judgement have stopped · `offline` by the broker, when the village dies. A lamp that has heard
nothing for five minutes is red too. deploy/lamp is a lamp to copy.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from kahriz_gateway import notify_sign
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.clock import Clock
from kahriz_gateway.mqtt import Announcement
from kahriz_gateway.village import store as village_store
from kahriz_wire import topics

EVERY_S = 60.0
LOOK_S = 2.0
STALE_MS = 30 * 60_000  # the village notes each ten minutes that it lives
QUIET, OPEN, URGENT, BLIND, OFFLINE = "quiet", "open", "urgent", "blind", "offline"

log = logging.getLogger(__name__)


def announcement(site: str) -> Announcement:
    """What the broker says for us: offline when we die, blind until we have looked."""
    topic = topics.of(site, topics.GATEWAY, "lamp")
    return Announcement(topic, _body({"state": BLIND}), _body({"state": OFFLINE}))


def state(conn: sqlite3.Connection, data: Path, now_ms: int) -> tuple[str, int]:
    """The word, and how many alarms are open."""
    opened = alarm_book.open_alarms(conn)
    intake = notify_sign.read(data, "intake") or {}
    village = notify_sign.read(data, "village") or {}
    hears = notify_sign.running(data) and intake.get("state") == "online"
    alive = village_store.get_state(conn, "alive_ms")
    judges = alive is not None and 0 <= now_ms - alive <= STALE_MS
    if not hears or not judges or "trouble" in intake or "trouble" in village:
        return BLIND, len(opened)
    if any(a.kind == "gateway" and a.calm is None for a in opened):
        return BLIND, len(opened)
    if any(a.urgent and not a.shelved_at(now_ms) for a in opened):
        return URGENT, len(opened)
    return (OPEN if opened else QUIET), len(opened)


class Lamp:
    """Says the word when it changes, and every minute."""

    def __init__(
        self, path: Path, data: Path, clock: Clock, announce: Callable[[bytes], None]
    ) -> None:
        self._path, self._data, self._clock = path, data, clock
        self._announce = announce

    def run(self, stop: threading.Event) -> None:
        conn = village_store.open_village(self._path, read_only=True)
        said, since_s = "", EVERY_S
        try:
            while not stop.wait(LOOK_S):
                now_ms = self._clock.now_ms()
                word, alarms = state(conn, self._data, now_ms)
                since_s += LOOK_S
                if word != said or since_s >= EVERY_S:
                    self._announce(_body({"state": word, "alarms": alarms, "ts": now_ms}))
                    said, since_s = word, 0.0
        finally:
            conn.close()


def _body(words: dict[str, object]) -> bytes:
    return json.dumps(words).encode()
