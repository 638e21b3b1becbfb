# SPDX-License-Identifier: MIT
"""The daily sign of life by SMS: once a day, in the budget, and honest about silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms import rota
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms import sign as alarm_sign
from kahriz_gateway.checks import About
from kahriz_gateway.checks.people import people
from kahriz_gateway.config import Options
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import ConfigError, parse_plan

from .test_alarm_loop import HOUR_MS, PEOPLE, RAISED, T0, TEXT, Finding, Loop

BY_SMS = PEOPLE.replace('"email"]\nemail = "rena@example.az"', '"sms"]\nphone = "+994559876543"')
MODEM = '[modem]\ndevice = "/dev/null"\n'
PLAN = parse_plan(f'{TEXT}{BY_SMS}{MODEM}[alarms]\nsign_of_life = "09:30"\n')


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db", PLAN)
    yield made
    made.conn.close()


def hours(loop: Loop, count: int) -> list[int]:
    """Let so many hours go by, sending what there is; the site's hour of each sign."""
    found = []
    for _ in range(count):
        loop.clock.ms += HOUR_MS
        with village_store.transaction(loop.conn):
            made = alarm_sign.daily(loop.conn, PLAN, loop.clock.ms)
        found += [rota.local(PLAN, loop.clock.ms).hour for _ in made]
        for ident in made:
            alarm_post.set_state(loop.conn, ident, "sent", loop.clock.ms, "sms")
    return found


def test_it_comes_once_a_day_at_its_hour(loop: Loop) -> None:
    hours(loop, 24)
    assert hours(loop, 24 * 7) == [10] * 7  # the first look after half past nine


def test_it_is_the_days_message_and_a_text_of_that_day_stands_for_it(loop: Loop) -> None:
    hours(loop, 24)
    while rota.local(PLAN, loop.clock.ms).hour != 6:
        hours(loop, 1)
    loop.find(Finding(RAISED, "fouled_weir", "outlet", loop.clock.ms))
    with village_store.transaction(loop.conn):
        news = alarm_post.enclose(loop.conn, "rena", "routine", 1, 1, True, loop.clock.ms)
        alarm_post.set_state(loop.conn, news, "sent", loop.clock.ms)
    assert hours(loop, 12) == []
    assert len(hours(loop, 24)) == 1


def test_news_never_joins_a_sign_that_waits(loop: Loop) -> None:
    while not (made := alarm_sign.daily(loop.conn, PLAN, loop.clock.ms)):
        loop.clock.ms += HOUR_MS
    loop.find(Finding(RAISED, "fouled_weir", "outlet", loop.clock.ms))
    assert alarm_post.enclose(loop.conn, "rena", "routine", 1, 1, True, loop.clock.ms) not in made


def test_it_says_what_is_silent_and_how_old_the_number_is(loop: Loop) -> None:
    rena = PLAN.people[1]
    assert alarm_sign.text(loop.conn, PLAN, rena, T0).endswith(
        "нет показаний; слышно узлов 0 из 6, открытых тревог 0."
    )
    loop.flow({"outlet": 12.3}, T0)
    text = alarm_sign.text(loop.conn, PLAN, rena, T0)
    assert "12,3 л/с, 21.09 " in text
    assert "слышно узлов 1 из 6" in text
    assert "слышно узлов 0 из 6" in alarm_sign.text(loop.conn, PLAN, rena, T0 + 5 * HOUR_MS)


def test_the_check_refuses_a_sign_that_reaches_nobody(tmp_path: Path) -> None:
    toml = tmp_path / "site.toml"
    toml.write_text(
        f'{TEXT}{BY_SMS.replace("technician", "office")}{MODEM}[alarms]\nsign_of_life = "09:30"\n',
        encoding="utf-8",
    )
    found = people(About(Options(toml, tmp_path)))
    assert (found.state, "sign_of_life" in found.says) == ("FAIL", True)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"alarms\.sign_of_life"):
        parse_plan(f'{TEXT}[alarms]\nsign_of_life = "9 o\'clock"\n')
