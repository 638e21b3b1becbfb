# SPDX-License-Identifier: MIT
"""From the detector to a person and back: texts through the real gammu, answers, proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kahriz_alarms import rota
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.channels.to_people import to_people
from kahriz_alarms.personal import Incoming, PersonalChannel
from kahriz_detect.finding import CLEARED, RAISED
from kahriz_gateway.alarms import answers as alarm_answers
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms import weekly_test as alarm_test
from kahriz_gateway.alarms.listen import Listener
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.village import store as village_store
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import terminal
from kahriz_water.plan import ConfigError, parse_plan

from .conftest import wait_for
from .test_alarm_loop import DAY_MS, HOUR_MS, PEOPLE, PLAN, T0, TELLS, TEXT, Loop, leak

ALI, STRANGER = "+994501234567", "+994550000000"
BY_SMS = PEOPLE.replace('channels = ["sms", "call"]', 'channels = ["sms"]')


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def say(loop: Loop, text: str, sender: str = ALI, key: str | None = None) -> str | None:
    now = loop.clock.ms
    said = Incoming("sms", sender, text, now, key or f"{text} {now}")
    with village_store.transaction(loop.conn):
        plan = parse_plan(TEXT + PEOPLE)
        return alarm_answers.take(loop.conn, plan, said, now, TELLS)


def told(loop: Loop, kinds: tuple[str, ...] = ("leak",)) -> None:
    """Alarms that have reached Əli in one message."""
    for kind in kinds:
        loop.find(replace(leak(RAISED), kind=kind))
    loop.tick()
    for post in alarm_post.in_state(loop.conn, "waiting"):
        alarm_post.set_state(loop.conn, post.id, "sent", loop.clock.ms)


def answers(loop: Loop) -> list[str]:
    rows = loop.conn.execute("SELECT text FROM message WHERE sort='answer' ORDER BY id")
    return [row[0] for row in rows]


def test_a_leak_is_told_taken_mended_and_proved_by_text(tmp_path: Path, loop: Loop) -> None:
    stick = Stick()
    with terminal(stick) as line:
        plan = parse_plan(f'{TEXT}{BY_SMS}[modem]\ndevice = "{line.device}"\n')
        channels = to_people(plan, lambda name: b"")
        path = tmp_path / "village.db"
        sender = PeopleSender(path, plan, loop.clock, channels, TELLS)
        listener = Listener(path, plan, loop.clock, channels[0], TELLS)
        loop.flow({"outlet": 12.0, "middle": 11.5}, T0)
        loop.find(leak(RAISED))
        loop.tick()
        _send_all(loop, sender)
        assert stick.sent[0].to == ALI
        assert stick.sent[0].text.startswith("Sızma: Yuxarı arx, 2,0 l/s")
        assert "təsdiqlənmiş yol yazılmayıb" in _joined(stick)  # the second part, [access] in it
        assert loop.state() == "notified"
        stick.arrive(ALI, "1", loop.clock.ms)
        assert listener.step(loop.conn) == 1
        assert loop.state() == "acknowledged"
        assert listener.step(loop.conn) == 0  # off the SIM
        stick.arrive(ALI, "3 4", loop.clock.ms)
        listener.step(loop.conn)
        assert loop.state() == "reported_fixed"
        before = len(stick.sent)
        _send_all(loop, sender)
        assert len(stick.sent) > before  # what was understood is said back
        _close(channels)
    loop.clock.ms += 2 * DAY_MS
    loop.flow({"outlet": 12.1, "middle": 12.1}, loop.clock.ms)
    loop.find(leak(CLEARED, loop.clock.ms))
    loop.tick(10 * 60_000)
    closed = alarm_book.load(loop.conn, 1)
    assert closed is not None
    assert (closed.state, closed.owner, closed.cause, closed.proved) == (
        "closed",
        "ali",
        "joint",
        True,
    )


def _send_all(loop: Loop, sender: PeopleSender) -> None:
    def gone() -> bool:
        sender.step(loop.conn)
        waiting = (p for s in ("waiting", "sending") for p in alarm_post.in_state(loop.conn, s))
        return not any(p.person == "ali" for p in waiting)

    wait_for(gone, "every message has left")


def _joined(stick: Stick) -> str:
    return "".join(part.text for part in stick.sent)


def _close(channels: list[PersonalChannel]) -> None:
    for channel in channels:
        modem = getattr(channel, "_modem", None)
        if modem is not None:
            modem.close()


def test_a_replay_does_nothing(loop: Loop) -> None:
    told(loop)
    assert say(loop, "1", key="k") == "acknowledged"
    assert say(loop, "1", key="k") is None
    assert len(answers(loop)) == 1


def test_a_stranger_is_stored_and_neither_obeyed_nor_answered(loop: Loop) -> None:
    told(loop)
    assert say(loop, "1", STRANGER) == "stranger"
    assert loop.state() == "notified" or loop.state() == "raised"
    assert answers(loop) == []
    assert loop.conn.execute("SELECT text FROM incoming").fetchone()[0] == "1"


def test_a_digit_from_yesterday_is_not_an_answer_to_today(loop: Loop) -> None:
    told(loop)
    late = Incoming("sms", ALI, "1", loop.clock.ms - 2 * DAY_MS, "late")
    with village_store.transaction(loop.conn):
        plan = parse_plan(TEXT + PEOPLE)
        assert alarm_answers.take(loop.conn, plan, late, loop.clock.ms, TELLS) == "too late"
    assert loop.state() == "raised"


def test_one_repair_is_not_all_of_them(loop: Loop) -> None:
    told(loop, ("leak", "source_drop"))
    assert say(loop, "3 4") == "which"
    assert "#1" in answers(loop)[0]
    assert "#2" in answers(loop)[0]
    assert say(loop, "3 #2 4") == "fixed"
    assert [a.state for a in alarm_book.open_alarms(loop.conn)] == ["raised", "reported_fixed"]


def test_what_nobody_can_read_gets_the_help_and_su_the_state(loop: Loop) -> None:
    loop.flow({"outlet": 12.3}, T0)
    told(loop)
    assert say(loop, "salam") == "unknown"
    assert say(loop, "SU?") == "state"
    help_, state = answers(loop)
    assert help_.startswith("1 qəbul etdim")
    assert "12,3 l/s" in state
    assert "Sızma" in state


def test_a_telephone_that_answers_itself_is_not_answered_for_ever(loop: Loop) -> None:
    for n in range(40):
        say(loop, "salam", key=str(n))
    assert len(answers(loop)) == alarm_answers.MOST_AN_HOUR


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ('[email]\nhost = "mail.az"\nfrom = "k@mail.az"\nsecurity = "none"', "email.security"),
        ('[email]\nhost = "mail.az"\nfrom = "k@mail.az"\nuser = "k"', "email.password_file"),
        ('[email]\nhost = "mail.az"\nfrom = "kahriz"', "email.from"),
        ('[telegram]\ntoken_file = "t"\nbase_url = "ftp://x"', "telegram.base_url"),
        ("[modem]\nport = 1", "modem.device"),
    ],
)
def test_a_way_that_cannot_be_meant_is_refused_with_its_path(words: str, path: str) -> None:
    with pytest.raises(ConfigError, match=path):
        parse_plan(f"{TEXT}{words}\n")


def test_a_broken_way_is_told_by_another(tmp_path: Path, loop: Loop) -> None:
    modem = Modem(str(tmp_path / "no-such-stick"), rest_s=0.0)
    path = tmp_path / "village.db"
    listener = Listener(path, PLAN, loop.clock, SmsChannel(modem), TELLS)
    for _ in range(2):
        listener.step(loop.conn)
        loop.tick(6 * 60_000)
    modem.close()
    row = loop.conn.execute("SELECT kind, place FROM alarm WHERE closed IS NULL").fetchone()
    assert tuple(row) == ("alarm_path", "sms")
    waiting = alarm_post.in_state(loop.conn, "waiting")
    assert [p.person for p in waiting] == ["rena"]  # by e-mail


def test_a_week_brings_one_test_message_to_everybody_by_day(loop: Loop) -> None:
    plan = parse_plan(
        f'{TEXT}{PEOPLE}[modem]\ndevice = "/dev/null"\n[telegram]\ntoken_file = "t"\n'
    )
    sent: list[tuple[int, int]] = []
    for hour in range(24 * 16):
        now = T0 + hour * HOUR_MS
        with village_store.transaction(loop.conn):
            made = alarm_test.weekly(loop.conn, plan, now)
        sent += [(hour // 24, rota.local(plan, now).hour) for _ in made]
    assert len(sent) == 2
    assert sent[1][0] - sent[0][0] in (7, 8)
    assert all(10 <= hour < 18 for _, hour in sent)
