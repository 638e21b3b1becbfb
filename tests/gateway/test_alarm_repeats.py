# SPDX-License-Identifier: MIT
"""An urgent alarm that nobody answers: it never falls silent, and never more than can be borne."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.loop import findings
from kahriz_detect.finding import RAISED
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import ConfigError, Plan, parse_plan

from .test_alarm_loop import HOUR_MS, PEOPLE, T0, TELLS, TEXT, Loop, leak
from .test_alarm_quiet import PLAN

RULES = "[alarms]\n"
TURN_MS = 900_000


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db", PLAN)
    yield made
    made.faithful()
    made.conn.close()


def live(loop: Loop, hours: float, outcome: str = "sent") -> None:
    """So long every message comes to this end as soon as it may leave."""
    for _ in range(round(hours * HOUR_MS / TURN_MS)):
        loop.tick(TURN_MS)
        for post in alarm_post.in_state(loop.conn, "waiting"):
            alarm_post.set_state(loop.conn, post.id, outcome, loop.clock.ms)


def asked(loop: Loop, person: str, since_ms: int = 0) -> list[float]:
    """After how many hours this person was asked."""
    rows = loop.conn.execute(
        "SELECT DISTINCT m.done FROM message m JOIN message_event e ON e.message = m.id"
        " WHERE m.person=? AND m.sort='urgent' AND e.asks=1 AND m.state='sent' AND m.done>?"
        " ORDER BY m.done",
        (person, since_ms),
    )
    return [(r[0] - T0) / HOUR_MS for r in rows]


def a_day(hours: list[float], day: int) -> int:
    return sum(24 * day <= h < 24 * (day + 1) for h in hours)


def test_who_does_not_answer_is_asked_ever_less_often_and_never_not_at_all(
    loop: Loop,
) -> None:
    """Three are asked, a quarter of an hour apart; two hours after the last the first again."""
    loop.find(leak(RAISED))
    live(loop, 10 * 24)
    for person in ("ali", "rena", "sura"):
        hours = asked(loop, person)
        assert 3 <= a_day(hours, 0) <= 4
        assert all(a_day(hours, day) <= 1 for day in range(1, 10))
        gaps = [round(after - before, 3) for before, after in itertools.pairwise(hours)]
        assert gaps == sorted(gaps)
        assert 24 < gaps[-1] < 25
        assert hours[-1] > 9 * 24
    assert loop.state() == "escalated"


def test_an_answer_and_a_repair_that_does_not_come_begin_it_from_the_first(loop: Loop) -> None:
    loop.find(leak(RAISED))
    live(loop, 5 * 24)
    with village_store.transaction(loop.conn):
        alarm = alarm_book.known(loop.conn, 1)
        now = loop.clock.ms
        findings.step(loop.conn, alarm, "acknowledged", now, TELLS, now, "ali")
    live(loop, 24 * PLAN.alarms.repair_days - 1)
    late_ms = loop.clock.ms
    assert asked(loop, "ali", late_ms) == []
    live(loop, 24)
    assert len(asked(loop, "ali", late_ms)) >= 3


def test_while_nothing_gets_through_it_is_tried_again_every_two_hours(loop: Loop) -> None:
    loop.find(leak(RAISED))
    live(loop, 3 * 24, "failed")
    silent_ms = loop.clock.ms
    live(loop, 24)
    hours = asked(loop, "ali", silent_ms)
    assert hours[0] - 72 <= 2.5
    assert len(hours) >= 3, "the first day of those who hear of it"


def test_a_plan_says_how_often(tmp_path: Path) -> None:
    def rules(words: str) -> Plan:
        return parse_plan(TEXT + PEOPLE + RULES + words)

    steady = Loop(tmp_path / "village.db", rules("ask_again_hours = 4\nask_again_most_hours = 4\n"))
    steady.find(leak(RAISED))
    live(steady, 48)
    assert all(4 <= a_day(asked(steady, "ali"), day) <= 6 for day in range(2))
    steady.conn.close()
    for words, complaint in (
        ("ask_again_hours = 25", "ask_again_hours"),
        ("ask_again_hours = 0", "ask_again_hours"),
        ("ask_again_most_hours = 1", "ask_again_most_hours"),
        ("ask_again_most_hours = 48", "ask_again_most_hours"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            rules(words)
