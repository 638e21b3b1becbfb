# SPDX-License-Identifier: MIT
"""A "4" that anybody can forge quiets its sender alone, until a second person agrees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.personal import Incoming
from kahriz_gateway.alarms import answers as alarm_answers
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan

from .test_alarm_loop import HOUR_MS, PEOPLE, RAISED, T0, TELLS, TEXT, Finding, Loop, leak

COMMITTEE = """
[[person]]
id = "sura"
name = "Sürə"
role = "committee"
language = "en"
channels = ["sms"]
phone = "+994507654321"
"""
PLAN = parse_plan(TEXT + PEOPLE + COMMITTEE)
NUMBERS = {"ali": "+994501234567", "sura": "+994507654321"}
MINUTE_MS = 60_000


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db", PLAN)
    yield made
    made.faithful()
    made.conn.close()


def say(loop: Loop, person: str, text: str) -> str | None:
    now = loop.clock.ms
    said = Incoming("sms", NUMBERS[person], text, now, f"{person} {text} {now}")
    with village_store.transaction(loop.conn):
        return alarm_answers.take(loop.conn, PLAN, said, now, TELLS)


def send_all(loop: Loop) -> None:
    for post in alarm_post.in_state(loop.conn, "waiting"):
        alarm_post.set_state(loop.conn, post.id, "sent", loop.clock.ms)


def rung(loop: Loop, minutes: int) -> list[str]:
    """Who is asked about the leak while so much time goes by."""
    first = loop.conn.execute("SELECT max(id) FROM message").fetchone()[0]
    for _ in range(minutes):
        loop.tick(MINUTE_MS)
        send_all(loop)
    rows = loop.conn.execute(
        "SELECT DISTINCT m.id, m.person FROM message m JOIN message_event e ON e.message = m.id"
        " WHERE e.asks=1 AND m.id > ? ORDER BY m.id",
        (first,),
    )
    return [row["person"] for row in rows]


def told_leak(loop: Loop) -> None:
    loop.find(leak(RAISED))
    loop.tick()
    send_all(loop)


def test_a_forged_four_does_not_keep_the_others_from_being_rung(loop: Loop) -> None:
    told_leak(loop)
    assert say(loop, "ali", "4 300") == "quiet_asked"
    alarm = alarm_book.open_alarms(loop.conn)[0]
    assert alarm.shelved_until is None
    words = [p.text for p in alarm_post.in_state(loop.conn, "waiting") if p.person == "sura"]
    assert words[0] is not None
    assert words[0].startswith("Əli wants quiet until ")
    assert "4 #1" in words[0]
    assert rung(loop, 300)[:3] == ["rena", "sura", "rena"]  # without ali, and all over again
    assert "ali" not in rung(loop, 100)
    assert "ali" in rung(loop, 400)  # twelve hours are over


def test_asking_twice_for_quiet_is_not_two_persons(loop: Loop) -> None:
    told_leak(loop)
    assert say(loop, "ali", "4") == "quiet_asked"
    loop.clock.ms += HOUR_MS
    assert say(loop, "ali", "4") == "quiet_asked"
    assert alarm_book.open_alarms(loop.conn)[0].shelved_until is None
    wishes = [p for p in alarm_post.in_state(loop.conn, "waiting") if p.person == "sura"]
    assert len(wishes) == 1


def test_a_second_person_agrees_and_the_quiet_is_short(loop: Loop) -> None:
    told_leak(loop)
    asked = loop.clock.ms
    say(loop, "ali", "4 300 yol bağlıdır")
    loop.clock.ms += HOUR_MS
    assert say(loop, "sura", "4 #1") == "shelved"
    alarm = alarm_book.open_alarms(loop.conn)[0]
    assert (alarm.shelved_until, alarm.shelved_by) == (asked + 12 * HOUR_MS, "sura")
    step = alarm_book.steps(loop.conn, alarm.id)[-1]
    assert (step.what, step.data["asked"]) == ("shelved", "ali")
    send_all(loop)
    assert rung(loop, 60) == []


def test_what_can_wait_is_shelved_by_one_for_three_days_at_most(loop: Loop) -> None:
    loop.find(Finding(RAISED, "fouled_weir", "outlet", T0))
    loop.tick()
    send_all(loop)
    assert say(loop, "ali", "4 #1 336") == "shelved"
    alarm = alarm_book.open_alarms(loop.conn)[0]
    assert alarm.shelved_until == loop.clock.ms + 72 * HOUR_MS
