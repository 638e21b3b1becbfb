# SPDX-License-Identifier: MIT
"""Random lives of an alarm against the rules, the order in which people are asked, the docs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_alarms import attempts, dispatch, life, rota, states
from kahriz_alarms.alarm import Alarm, Step
from kahriz_alarms.attempts import Attempt, next_way
from kahriz_alarms.dispatch import Told, next_ask
from kahriz_alarms.people import known
from kahriz_water.plan import ConfigError, Plan, parse_plan

ROOT = Path(__file__).parents[2]
SITE = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "site.toml"
PEOPLE = """
[[person]]
id = "ali"
name = "Əli"
role = "crew"
language = "az"
channels = ["call", "sms", "telegram"]
phone = "+994501234567"
telegram = "77"
quiet = ["22:00", "06:00"]

[[person]]
id = "vali"
name = "Vəli"
role = "crew"
language = "az"
channels = ["sms"]
phone = "+994501234568"

[[rota]]
days = ["mon"]
from = "20:00"
to = "08:00"
people = ["vali"]
"""
TEXT = SITE.read_text(encoding="utf-8")
PLAN = parse_plan(TEXT + PEOPLE)
NO_NIGHT = parse_plan(TEXT + PEOPLE.replace('quiet = ["22:00", "06:00"]', ""))
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DATA = {
    "silent": {"since_ms": 1},
    "shelved": {"until": 9},
    "joined": {"parent": 1},
    "explained": {"cause": "other"},
    "changed": {"lps": 1.0, "lps_u": None, "m3": None},
}


def born(urgent: bool = True) -> tuple[Alarm, Step]:
    data = {"kind": "leak", "place": "upper", "urgent": urgent, "evidence": {}, "lps": 2.0}
    step = Step("raised", 0, 0, data=data)
    return life.raised(1, step), step


@given(st.lists(st.sampled_from(sorted(states.STEPS)), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_order_of_steps_keeps_the_rules(order: list[str]) -> None:
    alarm, first = born()
    told = [first]
    for at, what in enumerate(order, 1):
        step = Step(what, at, at, "ali", data=DATA.get(what, {}))
        before = alarm
        try:
            alarm = life.fold(alarm, step)
        except states.StateError:
            assert before.state not in states.STEPS[what].states
            continue
        told.append(step)
        assert alarm.state in states.STATES
        assert (alarm.closed is not None) == (alarm.state == "closed")
        if before.state in ("verified", "closed"):
            assert alarm.state == "closed", "what has ended does not open again"
        if what == "silent":
            assert alarm.state == before.state, "silence ends nothing"
    assert life.replay(1, told) == alarm


def test_the_table_in_the_docs_is_the_one_in_the_program() -> None:
    text = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    assert states.table() in text


def test_no_answer_goes_to_the_next_person_and_then_round_again() -> None:
    alarm, _ = born()
    ask = next_ask(alarm, [], PLAN, 0, None)
    assert ask is not None
    assert ask.person == "ali"
    sent = [Told("ali", dispatch.SENT, 0)]
    assert next_ask(alarm, sent, PLAN, 14 * MINUTE_MS, 0) is None
    ask = next_ask(alarm, sent, PLAN, 15 * MINUTE_MS, 0)
    assert ask is not None
    assert (ask.person, ask.escalated) == ("vali", True)
    both = [*sent, Told("vali", dispatch.FAILED, 16 * MINUTE_MS)]
    assert next_ask(alarm, both, PLAN, 30 * MINUTE_MS, 0) is None
    ask = next_ask(alarm, both, PLAN, 136 * MINUTE_MS, 0)
    assert ask is not None
    assert ask.again


def again(plan: Plan, sent_h: list[float], now_h: float, failed_h: float | None = None) -> bool:
    """Whether a new round begins, when both were asked in the last one."""
    alarm, _ = born()
    told = [Told("ali", dispatch.SENT if sent_h else dispatch.FAILED, 0)]
    last_h = sent_h[-1] if failed_h is None else failed_h
    told.append(
        Told(
            "vali", dispatch.SENT if failed_h is None else dispatch.FAILED, round(last_h * HOUR_MS)
        )
    )
    reached = round(sent_h[0] * HOUR_MS) if sent_h else None
    ask = next_ask(alarm, told, plan, round(now_h * HOUR_MS), reached)
    assert ask is None or (ask.again and ask.escalated)
    return ask is not None


def test_rounds_thin_out_to_one_a_day_and_never_end() -> None:
    for sent_h, pause_h in (([0, 0.5], 2), ([0, 6.5], 6.5), ([0, 27.5], 24), ([0, 8000.0], 24)):
        begin_h = sent_h[-1] + pause_h
        assert not again(NO_NIGHT, sent_h, begin_h - 0.01)
        assert again(NO_NIGHT, sent_h, begin_h)


def test_what_has_reached_nobody_is_tried_again_soon() -> None:
    assert again(NO_NIGHT, [], 502.0, failed_h=500.0)
    assert not again(NO_NIGHT, [0], 502.0, failed_h=500.0), "it reached one who does not answer"


def test_a_daily_round_leaves_the_night_alone_and_an_earlier_one_does_not() -> None:
    midnight_h = 44.0  # 1970-01-03 in Baku: ali is quiet from 22 to 6
    assert again(PLAN, [midnight_h - 14, midnight_h - 6], midnight_h + 2)
    yesterday = [midnight_h - 48, midnight_h - 24]
    assert not again(PLAN, yesterday, midnight_h)
    assert not again(PLAN, yesterday, midnight_h + 5.99)
    assert again(PLAN, yesterday, midnight_h + 6)


def test_the_rota_over_midnight_belongs_to_its_first_day() -> None:
    def at(day: int, hour: int) -> list[str]:
        moment = datetime(2026, 11, day, hour - 4, tzinfo=UTC)  # Baku is four hours ahead
        return rota.on_duty(PLAN, int(moment.timestamp() * 1000))

    assert at(23, 21) == ["vali"]  # a Monday
    assert at(24, 7) == ["vali"]
    assert at(24, 9) == []


def test_what_can_wait_waits_for_the_morning() -> None:
    ali = PLAN.people[0]
    night = int(datetime(2026, 11, 23, 19, 30, 7, tzinfo=UTC).timestamp() * 1000)  # 23:30
    morning = int(datetime(2026, 11, 24, 2, 0, tzinfo=UTC).timestamp() * 1000)  # 06:00
    assert rota.quiet_until(PLAN, ali, night) == morning


def test_the_text_goes_before_the_ring_and_a_ring_is_tried_twice() -> None:
    ali, every = PLAN.people[0], ("call", "sms", "telegram")
    assert next_way(ali, True, [], every, 0).channels == ("sms",)
    tries = [Attempt("sms", attempts.DELIVERED, 0)]
    assert next_way(ali, True, tries, every, 0).channels == ("call",)
    tries.append(Attempt("call", attempts.PASSING, 0))
    assert next_way(ali, True, tries, every, 59_000).channels == ()
    assert next_way(ali, True, tries, every, 60_000).channels == ("call",)
    tries.append(Attempt("call", attempts.PASSING, 60_000))
    assert next_way(ali, True, tries, every, 61_000).outcome == "sent"
    assert next_way(ali, False, [], every, 0).channels == ("sms",), "what can wait never rings"


def test_a_text_that_was_taken_stays_taken_while_its_channel_is_busy_with_another() -> None:
    ali, sms = PLAN.people[0], Attempt("sms", attempts.DELIVERED, 0)
    for free in ((), ("call",), ("telegram",), ("call", "telegram")):
        assert next_way(ali, False, [sms], free, 1_000).outcome == "sent", free
        assert next_way(ali, True, [sms], free, 240_000).outcome == "sent", free
        assert "telegram" not in next_way(ali, True, [sms], free, 1_000).channels, free


@given(st.lists(st.sampled_from(["passing", "permanent"]), min_size=30, max_size=30))
def test_when_every_way_fails_the_message_fails_within_five_minutes(ends: list[str]) -> None:
    ali, tries, now = PLAN.people[0], [], 0
    for _ in range(40):
        way = next_way(ali, True, tries, ("call", "sms", "telegram"), now)
        if way.outcome is not None:
            break
        for channel in way.channels:
            tries.append(Attempt(channel, ends[len(tries) % 30], now))
        now += 10_000
    assert way.outcome == "failed"
    assert now <= 300_000


def test_only_a_known_number_is_somebody() -> None:
    assert known(PLAN, "sms", "+994 50 123 45 67") == PLAN.people[0]
    assert known(PLAN, "sms", "+994509999999") is None
    assert known(PLAN, "email", "") is None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ('phone = "+994501234567"', 'phone = "0501234567"'),
        ('role = "crew"', 'role = "boss"'),
        ('quiet = ["22:00", "06:00"]', 'quiet = ["25:00", "06:00"]'),
        ('people = ["vali"]', 'people = ["nobody"]'),
        ('channels = ["sms"]', 'channels = ["email"]'),
    ],
)
def test_a_person_that_cannot_be_meant_is_refused_with_the_path(wrong: str, path: str) -> None:
    with pytest.raises(ConfigError, match=r"person|rota"):
        parse_plan(TEXT + PEOPLE.replace(wrong, path, 1))
