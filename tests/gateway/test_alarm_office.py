# SPDX-License-Identifier: MIT
"""An office's server that takes nothing for a day is an alarm; what waits meanwhile is not lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway.alarms.office import GONE_MS, KIND, OfficeWatch
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_water.plan import parse_plan

from .conftest import TestClock

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
HOUR_MS = 3_600_000
START = 1_790_000_000_000


class Server:
    """An output that is there, or not."""

    def __init__(self) -> None:
        self.gone = False
        self.values: list[Value] = []

    def write(self, values: Sequence[Value]) -> None:
        if self.gone:
            raise DeliveryError("InfluxDB unreachable", permanent=False)
        self.values += values


class Village:
    """The follower of that server, as the village runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.server = folder, TestClock(START), Server()
        self.conn = village_store.open_village(folder / "village.db")
        self.start()

    def start(self) -> None:
        watch = OfficeWatch("influx", PLAN, self.clock, {})
        self.follower = Follower("influx", self.server, self.folder, watch)

    def goes(self, hours: float) -> None:
        """A reading an hour, and a try to pass it on."""
        end = self.clock.ms + int(hours * HOUR_MS)
        while self.clock.ms < end:
            self.clock.ms += HOUR_MS
            with village_store.transaction(self.conn):
                value = Value("outlet", "stage_m", self.clock.ms, 0.15, None, 1)
                village_store.put_values(self.conn, [value])
            try:
                while self.follower.watched_step(self.conn):
                    pass
            except DeliveryError:
                pass

    @property
    def alarm(self) -> bool:
        found = village_alarms.open_alarm(self.conn, KIND, PLAN.id)
        return found is not None and found.calm is None


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    made = Village(tmp_path)
    yield made
    made.conn.close()


def alarms(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT count(*) FROM alarm WHERE kind=?", (KIND,)).fetchone()[0])


def test_a_day_without_the_office_is_told_once_and_ends_when_it_is_back(village: Village) -> None:
    village.goes(3)
    village.server.gone = True
    village.goes(GONE_MS / HOUR_MS)
    assert not village.alarm
    village.goes(1)
    assert village.alarm
    village.goes(100)
    assert alarms(village.conn) == 1
    village.server.gone = False
    village.goes(1)
    assert not village.alarm
    assert len(village.server.values) == 3 + 24 + 1 + 100 + 1  # nothing was lost meanwhile


def test_a_restart_does_not_begin_the_day_anew(village: Village) -> None:
    village.server.gone = True
    village.goes(20)
    village.start()
    village.goes(6)
    assert village.alarm


def test_hours_without_the_office_now_and_then_are_nothing(village: Village) -> None:
    for _ in range(5):
        village.server.gone = True
        village.goes(20)
        village.server.gone = False
        village.goes(1)
    assert alarms(village.conn) == 0


def test_a_clock_that_was_set_back_begins_the_day_anew(village: Village) -> None:
    village.server.gone = True
    village.goes(2)
    village.clock.ms -= 1000 * HOUR_MS
    village.goes(20)
    assert not village.alarm
    village.goes(10)
    assert village.alarm
