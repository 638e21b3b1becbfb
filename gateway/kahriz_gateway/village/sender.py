# SPDX-License-Identifier: MIT
"""The village's sender to the broadcast channels: the loop's, over village.db."""

from __future__ import annotations

import sqlite3

from kahriz_alarms.loop import sender
from kahriz_gateway.village.store import open_village


class Sender(sender.Sender):
    """One thread over all channels; `send_due` is the whole of it and can be called by a test."""

    def open(self) -> sqlite3.Connection:
        return open_village(self._path)
