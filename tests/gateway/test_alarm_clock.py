# SPDX-License-Identifier: MIT
"""The alarm loop under a wrong clock: nobody flooded, nobody forgotten, nothing lost."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from kahriz_alarms.attempts import TRYING
from kahriz_alarms.delivery import DeliveryError
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.signals.silence import Expected, Silence
from kahriz_gateway.alarms import clock as alarm_clock
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.clock import Clock, SteadyClock
from kahriz_gateway.intake.store import is_trouble
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store

from .test_alarm_loop import DAY_MS, HOUR_MS, PLAN, T0, TELLS, Loop, leak
from .test_alarm_people import Channel

TEN_YEARS_MS = 3653 * DAY_MS


class Chain:
    """Keeper and sender with one channel for texts, on a clock that the test turns."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.loop = Loop(folder / "village.db")
        if clock is not None:
            self.loop.keeper = Keeper(folder / "village.db", PLAN, clock, TELLS)
        self.sms, self.mail = Channel("sms"), Channel("email")
        self.sender = PeopleSender(
            folder / "village.db", PLAN, clock or self.loop.clock, [self.sms, self.mail], TELLS
        )

    def live(self, minutes: int) -> None:
        for _ in range(minutes):
            self.loop.tick(60_000)
            self.sender.step(self.loop.conn)
            self.settle()

    def settle(self) -> None:
        """What the channels have answered is stored."""
        self.wait()
        self.sender.step(self.loop.conn)

    def wait(self) -> None:
        """Until every channel has answered: one word for each try that is on record as begun."""
        begun = "SELECT count(*) FROM attempt WHERE state=?"
        (tries,) = self.loop.conn.execute(begun, (TRYING,)).fetchone()
        while self.sender._done.qsize() + len(self.sender._results) < tries:
            time.sleep(0.001)

    @property
    def told(self) -> int:
        return len(self.sms.got) + len(self.mail.got)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def test_a_clock_put_back_by_ten_years_floods_nobody_and_forgets_nobody(chain: Chain) -> None:
    chain.loop.clock.ms += TEN_YEARS_MS
    chain.loop.find(leak(RAISED))
    chain.live(3)
    assert len(chain.sms.got) == 1
    chain.loop.clock.ms -= TEN_YEARS_MS
    chain.live(20)
    assert len(chain.sms.got) == 1, "told once, and waited for"
    chain.live(3 * 60)
    assert len(chain.mail.got) >= 1, "nobody has answered: the next person"
    assert chain.told <= 6
    chain.loop.faithful()


def test_messages_and_deliveries_that_wait_for_2036_go_out_now(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    chain.loop.clock.ms += TEN_YEARS_MS
    chain.sms.error = DeliveryError("no network", permanent=False)
    chain.loop.find(leak(RAISED))
    chain.live(1)
    chain.loop.clock.ms -= TEN_YEARS_MS
    chain.sms.error = None
    chain.live(6)
    assert chain.told >= 1


def test_a_shelf_of_two_hours_is_one_of_two_hours_whatever_the_clock_said(chain: Chain) -> None:
    loop = chain.loop
    loop.clock.ms += TEN_YEARS_MS
    loop.find(leak(RAISED))
    with village_store.transaction(loop.conn):
        (alarm,) = village_alarms.open_alarms(loop.conn)
        until = {"until": loop.clock.ms + 2 * HOUR_MS}
        village_alarms.step(
            loop.conn, alarm, "shelved", loop.clock.ms, TELLS, note="tomorrow", data=until
        )
    loop.clock.ms -= TEN_YEARS_MS
    chain.live(110)
    assert chain.told == 0
    chain.live(20)
    assert len(chain.sms.got) == 1
    loop.faithful()


def test_a_clock_that_nobody_believes_puts_nothing_right(chain: Chain) -> None:
    loop = chain.loop
    loop.find(leak(RAISED))
    chain.live(1)
    before = loop.conn.execute("SELECT * FROM alarm_event").fetchall()
    loop.clock.ms = DAY_MS  # 1970
    loop.clock.believed = False
    loop.keeper.tick(loop.conn)
    assert loop.conn.execute("SELECT * FROM alarm_event").fetchall()[: len(before)] == before


def test_after_a_start_in_1970_delays_pass_and_the_next_person_is_asked(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    chain.loop.find(leak(RAISED))
    chain.live(3)
    told = alarm_clock.newest_ms(chain.loop.conn)
    assert told >= T0
    chain.loop.clock.ms, chain.loop.clock.believed = DAY_MS, False
    passed_s = [0.0]
    steady = SteadyClock(chain.loop.clock, told, lambda: passed_s[0])
    again = Chain(tmp_path, steady)
    for _ in range(200):
        passed_s[0] += 60.0
        again.live(1)
    assert len(again.mail.got) >= 1
    chain.loop.clock.ms, chain.loop.clock.believed = T0 + DAY_MS, True
    assert steady.now_ms() == T0 + DAY_MS, "the network has come"


def test_a_node_that_was_heard_in_2036_can_still_fall_silent() -> None:
    silence = Silence("here", [Expected("outlet", "outlet", 3600.0)])
    silence.update(Sample(T0 + TEN_YEARS_MS, "outlet", "word", 1.0))
    assert silence.tick(T0) == []
    assert [f.kind for f in silence.tick(T0 + 4 * HOUR_MS)] == ["silent_node"]


def test_a_disk_that_takes_nothing_costs_no_step_no_message_and_no_repeat(chain: Chain) -> None:
    """The card turns read-only at the worst moment: a text has left, its success is not stored."""
    loop = chain.loop
    loop.find(leak(RAISED))
    loop.tick()
    chain.sender.step(loop.conn)
    chain.sender.step(loop.conn)
    loop.conn.execute("PRAGMA query_only=1")
    chain.wait()
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError) as refused:
            chain.sender.step(loop.conn)
        assert is_trouble(refused.value)
    loop.clock.ms += 8 * HOUR_MS
    with pytest.raises(sqlite3.OperationalError):
        loop.find(Finding(RAISED, "leak", "lower", T0, 2.0, 0.4))
    loop.conn.execute("PRAGMA query_only=0")
    chain.live(2)
    assert [m.again for m in chain.sms.got][:1] == [False]
    assert sum(m.again for m in chain.sms.got) == 0, "nothing was sent twice"
    assert loop.state() in ("notified", "escalated")
    chain.live(60)
    assert len(chain.mail.got) >= 1, "and the loop goes on"
    loop.faithful()
