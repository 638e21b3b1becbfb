# SPDX-License-Identifier: MIT
"""A node for drills: the node's own session over a journal of readings that the test lets grow."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kahriz_node import uplink
from kahriz_sim.link import Net
from kahriz_sim.play_series import Recording, Sensor, Series, Site

from .conftest import NOW_MS, SITE, Process, wait_for

_SITE = Site(SITE, 300, {"weir": Sensor("weir", "weir", "distance_m", "")})
MakeIntake = Callable[[Path, int], Process]


@dataclass(frozen=True)
class Plan:
    """Whom the session talks to."""

    site: str
    node: str
    host: str
    port: int
    deadline_ms: int = 20_000
    batch: int = 12
    user: str | None = None
    password: str | None = None
    tls: object = None


class DrillNode:
    """A board with its flash; `wipe` gives it a new journal, as a formatted flash does."""

    def __init__(self, port: int, name: str = "outlet", journal: str | None = None) -> None:
        self.name = name
        self._plan = Plan(SITE, name, "127.0.0.1", port)
        self.wipe(journal)

    def wipe(self, journal: str | None = None) -> None:
        self.readings: list[tuple[int, dict[str, float]]] = []
        series = Series(self.readings, 0)
        self.journal = Recording(journal or secrets.token_hex(4), series, _SITE)

    def measure(self, count: int) -> None:
        """So many readings more, one a minute, all before the gateway's now."""
        for _ in range(count):
            n = len(self.readings) + 1
            self.readings.append((NOW_MS - 40_000_000 + n * 60_000, {"weir": 0.6 + n / 1e4}))
        self.journal.next = len(self.readings) + 1

    def forget_below(self, first: int) -> None:
        """Its flash was full: the oldest went."""
        self.journal.first = first

    def session(self) -> uplink.Outcome:
        return uplink.run(Net(), self.journal, self._plan, {"battery_v": 3.9})

    def deliver(self) -> None:
        """Sessions, as each hour, until the gateway has receipted everything."""

        def done() -> bool:
            outcome = self.session()
            return outcome.answered and not self.journal.open_ranges()

        wait_for(done, f"{self.name} has delivered")


def counted(intake: Process) -> list[tuple[str, int, int, int]]:
    """Per node: rows, different numbers, the newest, how often the most repeated one came."""
    return intake.query(
        "SELECT node, count(*), count(DISTINCT n), max(n) FROM reading GROUP BY node ORDER BY node"
    )
