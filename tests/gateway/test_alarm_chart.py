# SPDX-License-Identifier: MIT
"""The chart beside a message: made of stored values, in the reader's words, where it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kahriz_alarms.people import Person
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import chart as alarm_chart
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_water.plan import parse_plan

from .test_alarm_loop import PEOPLE, RAISED, T0, TELLS, TEXT, Finding, Loop, leak
from .test_alarm_people import Channel, until

BOT = '[telegram]\ntoken_file = "t"\n'
PLAN = parse_plan(f'{TEXT}{PEOPLE}{BOT}[modem]\ndevice = "x"\n')
ALI = Person("ali", "Əli", "crew", "az", ("telegram",), telegram="77")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db", PLAN)
    yield made
    made.conn.close()


def drawn(loop: Loop, to: Person = ALI) -> bytes | None:
    last = loop.conn.execute("SELECT max(id) FROM alarm_event").fetchone()[0]
    events = alarm_book.events(loop.conn, [last], False)
    return alarm_chart.chart(loop.conn, events, PLAN, to)


def test_a_leak_is_drawn_in_the_readers_language_within_60_kb(loop: Loop) -> None:
    loop.flow({"outlet": 12.0, "middle": 11.9}, T0 - 3_600_000, hours=72)
    loop.flow({"outlet": 12.0, "middle": 9.9}, T0, hours=1)
    loop.find(leak(RAISED))
    svg = drawn(loop)
    assert svg is not None
    assert len(svg) <= 60_000
    text = " ".join(ElementTree.fromstring(svg).itertext())
    assert "Sızma: Yuxarı arx" in text
    assert "adi itkidən artıq" in text
    assert svg.count(b"<polyline") >= 3


def test_nobody_gets_a_chart_by_sms_or_of_a_full_disk_or_of_nothing(loop: Loop) -> None:
    loop.find(leak(RAISED))
    assert drawn(loop) is None  # no value is stored
    loop.flow({"outlet": 12.0, "middle": 11.9}, T0, hours=72)
    assert drawn(loop) is not None
    assert drawn(loop, PLAN.people[0]) is None
    loop.find(Finding(RAISED, "disk_nearly_full", PLAN.id, T0))
    assert drawn(loop) is None


def test_it_leaves_with_the_message(loop: Loop, tmp_path: Path) -> None:
    by_bot = PEOPLE.replace(
        'channels = ["sms", "call"]', 'channels = ["telegram"]\ntelegram = "77"'
    )
    plan = parse_plan(TEXT + by_bot + BOT)
    bot = Channel("telegram")
    sender = PeopleSender(tmp_path / "village.db", plan, loop.clock, [bot], TELLS)
    loop.flow({"outlet": 12.0, "middle": 11.9}, T0, hours=72)
    loop.find(leak(RAISED))
    loop.tick()
    until(loop, sender, "sent")
    svg = bot.got[0].chart_svg
    assert svg is not None
    assert svg.startswith(b"<svg")
