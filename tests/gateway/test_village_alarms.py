# SPDX-License-Identifier: MIT
"""Alarms in the store: one for a cause, stored before sent, told although the way was closed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.alarm import Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.sender import Sender
from kahriz_water.plan import Plan, parse_plan

from .conftest import TestClock

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))
HOUR_MS = 3_600_000


class Channel:
    """Fails as often as it is told to."""

    name = "ear"
    tells: tuple[str, ...] = ("raised", "cleared")

    def __init__(self) -> None:
        self.trouble: list[DeliveryError] = []
        self.heard: list[Event] = []

    def send(self, event: Event, plan: Plan) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.heard.append(event)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    yield made
    made.close()


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def clock() -> TestClock:
    return TestClock(0)


@pytest.fixture
def sender(tmp_path: Path, channel: Channel, clock: TestClock) -> Sender:
    return Sender(tmp_path / "village.db", PLAN, clock, [channel])


def _find(conn: sqlite3.Connection, sender: Sender, *findings: Finding) -> None:
    with village_store.transaction(conn):
        village_alarms.apply(conn, findings, PLAN, 5 * HOUR_MS, sender.tells)


def _leak(what: str, ts: int = HOUR_MS, lps: float = 2.0) -> Finding:
    return Finding(what, "leak", "upper", ts, lps, 0.4, 7.0, {"scatter_lps": 0.3})


def test_the_same_cause_is_one_alarm_while_it_is_open(
    conn: sqlite3.Connection, sender: Sender, channel: Channel
) -> None:
    _find(conn, sender, _leak(RAISED), _leak(RAISED), _leak(CHANGED, lps=2.1))
    sender.send_due(conn)
    assert len(channel.heard) == 1
    assert village_alarms.open_alarms(conn)[0].lps == 2.1
    _find(conn, sender, _leak(CLEARED, 9 * HOUR_MS), _leak(RAISED, 12 * HOUR_MS))
    rows = conn.execute("SELECT state, calm FROM alarm ORDER BY id").fetchall()
    assert [tuple(r) for r in rows] == [("notified", None)], "not proved: it is the same alarm"
    twin = Finding(RAISED, "twin", "outlet", HOUR_MS)
    over = Finding(CLEARED, "twin", "outlet", 2 * HOUR_MS)
    _find(conn, sender, twin, over, twin)
    rows = conn.execute("SELECT state, closed FROM alarm WHERE kind='twin' ORDER BY id").fetchall()
    assert [tuple(r) for r in rows] == [("closed", 2 * HOUR_MS), ("raised", None)]


def test_the_size_told_last_stays_when_it_clears(conn: sqlite3.Connection, sender: Sender) -> None:
    _find(conn, sender, _leak(RAISED, lps=2.0), _leak(CLEARED, 9 * HOUR_MS, lps=0.1))
    assert conn.execute("SELECT lps FROM alarm").fetchone()[0] == 2.0


def test_what_failed_for_now_is_tried_again_and_what_failed_for_good_is_not(
    conn: sqlite3.Connection, sender: Sender, channel: Channel, clock: TestClock
) -> None:
    channel.trouble = [DeliveryError("no network", permanent=False)]
    _find(conn, sender, _leak(RAISED))
    assert sender.send_due(conn) == 0
    assert sender.send_due(conn) == 0  # not yet due
    clock.ms += HOUR_MS
    assert sender.send_due(conn) == 1
    assert village_alarms.open_alarms(conn)[0].state == "notified"
    channel.trouble = [DeliveryError("unknown number", permanent=True)]
    _find(conn, sender, Finding(RAISED, "twin", "outlet", HOUR_MS))
    assert sender.send_due(conn) == 0
    clock.ms += 24 * HOUR_MS
    assert sender.send_due(conn) == 0
    row = conn.execute(
        "SELECT state, last_error FROM delivery ORDER BY alarm_event DESC"
    ).fetchone()
    assert tuple(row) == ("failed", "unknown number")


def test_a_kill_while_sending_sends_again_and_says_that_it_may_be_a_repeat(
    conn: sqlite3.Connection, sender: Sender, channel: Channel
) -> None:
    _find(conn, sender, _leak(RAISED))
    conn.execute("UPDATE delivery SET state='trying'")  # what a kill in mid-send leaves
    sender.send_due(conn)
    assert [e.again for e in channel.heard] == [True]


def test_a_rolled_back_step_leaves_no_alarm(conn: sqlite3.Connection, sender: Sender) -> None:
    def cut_off() -> None:
        with village_store.transaction(conn):
            village_alarms.apply(conn, [_leak(RAISED)], PLAN, 0, sender.tells)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert village_alarms.open_alarms(conn) == []


def test_a_weir_that_is_silent_marks_the_alarm_of_its_reach_and_word_takes_the_mark_away(
    conn: sqlite3.Connection, sender: Sender
) -> None:
    silent = Finding(RAISED, "silent_node", "middle", 6 * HOUR_MS, evidence={"since_ms": 2.0})
    elsewhere = Finding(RAISED, "silent_node", "tank", 6 * HOUR_MS)
    _find(conn, sender, _leak(RAISED), elsewhere)
    assert village_alarms.open_alarms(conn)[0].silent_since is None
    _find(conn, sender, silent)
    assert village_alarms.open_alarms(conn)[0].silent_since == 2
    _find(conn, sender, Finding(CLEARED, "silent_node", "middle", 7 * HOUR_MS))
    leak = village_alarms.open_alarm(conn, "leak", "upper")
    assert leak is not None
    assert leak.silent_since is None
    assert leak.state == "raised"
