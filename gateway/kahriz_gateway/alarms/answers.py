# SPDX-License-Identifier: MIT
"""What somebody has written to the village: the loop does it; SU? is answered with the flow."""

from __future__ import annotations

import sqlite3

from kahriz_alarms.loop import answers
from kahriz_alarms.loop.answers import MOST_AN_HOUR as MOST_AN_HOUR
from kahriz_alarms.loop.book import Tells
from kahriz_alarms.personal import Incoming
from kahriz_gateway.alarms import state as alarm_state
from kahriz_water.site import Plan


def take(
    conn: sqlite3.Connection, plan: Plan, said: Incoming, now: int, tells: Tells
) -> str | None:
    """Store it and do what it says; what was done, None for what was known already."""
    return answers.take(conn, plan, said, now, tells, alarm_state.state_text)
