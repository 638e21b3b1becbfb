# SPDX-License-Identifier: MIT
"""Hears what people write to the village; who asks how it stands is told of the water too."""

from __future__ import annotations

import sqlite3

from kahriz_alarms.loop import listen
from kahriz_alarms.personal import Incoming
from kahriz_gateway.alarms import answers
from kahriz_gateway.village import store as village_store


class Listener(listen.Listener):
    """One channel; `step` is one look and can be called by a test."""

    def open(self) -> sqlite3.Connection:
        return village_store.open_village(self._path)

    def take(self, conn: sqlite3.Connection, said: Incoming, now: int) -> str | None:
        return answers.take(conn, self._plan, said, now, self._tells)
