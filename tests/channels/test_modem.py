# SPDX-License-Identifier: MIT
"""Texts, calls and answers through the real gammu and a modem that can be hostile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.channels.call import CallChannel
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Message
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import terminal
from kahriz_sim.modem_trouble import Trouble

ALI = Person("ali", "Əli", "crew", "az", ("sms", "call"), phone="+994501234567")
HANG_S = (1.0, 5.0, 25.0)  # how long it waits for a modem that hangs; more where all is slow
LEAK = Message(1, (), "Sızma: Yuxarı arx, 2,0 l/san, 23.11 10:05, cavab 1")


@pytest.fixture(scope="module")
def stick() -> Stick:
    return Stick()


@pytest.fixture(scope="module")
def modem(stick: Stick) -> Iterator[Modem]:
    """One for all of it: gammu takes four seconds to start."""
    with terminal(stick) as line:
        made = Modem(line.device, rest_s=0.0)
        yield made
        made.close()


def test_one_modem_texts_rings_and_hears(stick: Stick, modem: Modem) -> None:
    stick.power_cycle()
    stick.trouble, stick.has_sim = Trouble(), True
    stick.sent.clear()
    stick.arrive("+994501234567", "SU? Əli", 1_790_000_000_000)
    sms = SmsChannel(modem)
    sms.send(LEAK, ALI)
    assert [(p.to, p.text, p.alphabet) for p in stick.sent] == [(ALI.phone, LEAK.first, "ucs2")]
    heard = sms.receive()
    assert [(i.sender, i.text, i.at_ms) for i in heard] == [
        ("+994501234567", "SU? Əli", 1_790_000_000_000)
    ]
    assert sms.receive() == heard
    sms.done(heard[0])
    assert sms.receive() == []
    assert modem.ask("ussd", 30, code="*100#", wait_s=10) == "Balans: 4.20 AZN"
    CallChannel(modem, ring_s=0.1).send(LEAK, ALI)
    assert [(c.number, c.ended) for c in stick.calls] == [(ALI.phone, "hung up by us")] * 2


def test_a_hostile_modem_costs_no_more_than_its_deadlines(stick: Stick, modem: Modem) -> None:
    sms = SmsChannel(modem)
    stick.sent.clear()

    def strike(what: str) -> None:
        stick.trouble = Trouble(share=1, kinds=(what,), on=("SEND",), most=1)

    strike("cms_error")
    with pytest.raises(DeliveryError) as caught:
        sms.send(LEAK, ALI)
    assert not caught.value.permanent
    assert stick.sent == []
    for wait_s in HANG_S:
        strike("hang")
        start = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            SmsChannel(modem, send_s=wait_s).send(LEAK, ALI)
        assert not caught.value.permanent
        assert time.monotonic() - start < wait_s + 60
        assert not modem.health().ok
        if stick.trouble.struck:
            break
        stick.power_cycle()
    assert stick.trouble.struck, "given up before it came so far as to hang"
    stick.power_cycle()
    sms.send(LEAK, ALI)
    assert stick.sent[-1].text == LEAK.first
    assert modem.health().ok
    strike("lost_sim")
    with pytest.raises(DeliveryError) as caught:
        sms.send(LEAK, ALI)
    assert not caught.value.permanent
    assert not modem.health().ok


def test_the_dummy_phone_of_gammu_is_dialled(tmp_path: Path) -> None:
    modem = Modem(str(tmp_path), "none", "dummy")
    SmsChannel(modem).send(LEAK, ALI)
    CallChannel(modem, ring_s=0.0).send(LEAK, ALI)
    modem.close()
    assert (tmp_path / "operations.log").read_text().count("Dialling +994501234567") == 2
