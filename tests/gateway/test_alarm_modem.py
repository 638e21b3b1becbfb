# SPDX-License-Identifier: MIT
"""The modem is asked for SIM, operator and credit, by the real gammu; what is wrong is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import modem as alarm_modem
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.modem import ModemWatch
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import terminal
from kahriz_water.plan import ConfigError, parse_plan

from .test_alarm_loop import DAY_MS, PEOPLE, TELLS, TEXT, Loop

MINUTE_MS = 60_000


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def _standing(loop: Loop) -> list[tuple[str, str, object]]:
    loop.tick(6 * MINUTE_MS)  # an alarm path must be broken for five
    opened = alarm_book.open_alarms(loop.conn)
    return [(a.kind, a.place, a.evidence.get("detail")) for a in opened if a.calm is None]


def test_a_modem_that_cannot_send_is_noticed_before_it_is_needed(
    tmp_path: Path, loop: Loop
) -> None:
    """One modem for all of it: gammu takes four seconds to start."""
    stick = Stick()
    with terminal(stick) as line:
        words = f'{TEXT}{PEOPLE}[modem]\ndevice = "{line.device}"\n'
        plan = parse_plan(words + 'credit_ussd = "*100#"\ncredit_least = 2.0\n')
        modem = Modem(line.device, rest_s=0.0)
        watch = ModemWatch(tmp_path / "village.db", plan, loop.clock, SmsChannel(modem), TELLS)

        def asked(*what: str) -> list[str]:
            before = len(stick.heard)
            watch.step(loop.conn)
            return [w for w in what if any(h.startswith(w) for h in stick.heard[before:])]

        everything = ("AT+CIMI", "AT+CREG?", "AT+CUSD=1,")
        assert asked(*everything) == list(everything)
        seen = alarm_modem.seen(loop.conn)
        assert (seen["credit"], seen["network"]["operator"]) == (4.2, "Azercell")
        assert asked(*everything) == []
        assert _standing(loop) == []

        stick.credit = "Balansınız 0,35 AZN"
        loop.clock.ms += 7 * DAY_MS
        watch.step(loop.conn)
        assert _standing(loop) == [("credit_low", plan.id, "0.35: Balansınız 0,35 AZN")]
        assert alarm_post.in_state(loop.conn, "waiting")[0].person == "rena"  # no office here

        stick.credit = "Xidmət müvəqqəti əlçatmazdır"
        for _ in range(3):
            loop.clock.ms += DAY_MS
            watch.step(loop.conn)
        assert ("alarm_path", "credit", f"*100# tells no credit: {stick.credit}") in _standing(loop)
        assert alarm_modem.seen(loop.conn)["credit"] == 0.35  # the last that is known

        stick.credit = "Balans: 9 AZN"
        loop.clock.ms += DAY_MS
        watch.step(loop.conn)
        assert _standing(loop) == []

        stick.registered = 3
        loop.clock.ms += DAY_MS
        watch.step(loop.conn)
        says = "the operator does not let it in (RegistrationDenied)"
        assert _standing(loop) == [("alarm_path", "modem", says)]
        stick.registered, stick.has_sim = 1, False
        loop.clock.ms += 10 * MINUTE_MS
        watch.step(loop.conn)
        assert alarm_modem.seen(loop.conn)["network"] == {"sim": False}
        assert len(_standing(loop)) == 1
        stick.has_sim = True
        loop.clock.ms += 10 * MINUTE_MS
        watch.step(loop.conn)
        assert _standing(loop) == []
        modem.close()


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ('credit_ussd = "100"', "modem.credit_ussd"),
        ('credit_pattern = "no group"', "modem.credit_pattern"),
        ('credit_pattern = "("', "modem.credit_pattern"),
        ("credit_least = -1", "modem.credit_least"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(words: str, path: str) -> None:
    with pytest.raises(ConfigError, match=path):
        parse_plan(f'{TEXT}[modem]\ndevice = "x"\n{words}\n')
