# SPDX-License-Identifier: MIT
""" "Do not drink until tested": by a storm or by the committee, told to all, shown, and ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_detect.finding import CLEARED
from kahriz_gateway import alarm_advisory, alarm_book, alarm_post, village_store

from .test_alarm_loop import DAY_MS, HOUR_MS, PLAN, RAISED, TELLS, Finding, Loop


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def words(loop: Loop) -> list[tuple[str, str]]:
    rows = loop.conn.execute("SELECT person, text FROM message WHERE sort='word' ORDER BY id")
    return [(r["person"], r["text"]) for r in rows]


def storm(loop: Loop, what: str) -> None:
    loop.find(Finding(what, "storm", "outlet", loop.clock.ms))


def test_a_storm_begins_it_and_the_days_set_follow_the_storm(loop: Loop) -> None:
    storm(loop, RAISED)
    loop.tick()
    advisory = alarm_advisory.running(loop.conn, PLAN)
    assert advisory is not None
    assert advisory.until == loop.clock.ms + 3 * DAY_MS
    assert [person for person, _ in words(loop)] == ["ali", "rena"]
    assert words(loop)[0][1].startswith("Gözlü kəhrizi, Banovşalar: su yoxlanana qədər içməyin")
    urgent = [p.person for p in alarm_post.in_state(loop.conn, "waiting") if p.sort == "urgent"]
    assert urgent == ["ali"]  # the crew is asked about the storm; nobody about the advisory
    loop.tick(5 * DAY_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is not None
    storm(loop, CLEARED)
    end = loop.clock.ms + 3 * DAY_MS
    loop.tick(3 * DAY_MS - HOUR_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is not None
    loop.clock.ms = end
    loop.tick()
    assert alarm_advisory.running(loop.conn, PLAN) is None
    assert len(words(loop)) == 4
    assert "içilə biləcəyi demək deyil" in words(loop)[2][1]


def test_what_a_person_has_ended_does_not_come_back_for_the_same_storm(loop: Loop) -> None:
    storm(loop, RAISED)
    loop.tick()
    with village_store.transaction(loop.conn):
        closed = alarm_advisory.end(loop.conn, PLAN, "rena", loop.clock.ms, TELLS, "tested")
    assert closed is not None
    assert (closed.state, closed.proved) == ("closed", False)
    assert [person for person, _ in words(loop)[2:]] == ["ali"]
    loop.tick(HOUR_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is None
    storm(loop, CLEARED)
    loop.tick(HOUR_MS)
    storm(loop, RAISED)  # the next one
    loop.tick()
    assert alarm_advisory.running(loop.conn, PLAN) is not None


def test_the_committee_begins_one_and_a_second_wish_never_shortens_it(loop: Loop) -> None:
    now = loop.clock.ms
    with village_store.transaction(loop.conn):
        for days in (5, 2):
            alarm_advisory.start(loop.conn, PLAN, now + days * DAY_MS, "rena", "sel", now, TELLS)
    advisory = alarm_advisory.running(loop.conn, PLAN)
    assert advisory is not None
    assert (advisory.until, advisory.who) == (now + 5 * DAY_MS, "rena")
    assert [person for person, _ in words(loop)] == ["ali"]
    assert len(alarm_book.open_alarms(loop.conn)) == 1
    loop.tick(5 * DAY_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is None
