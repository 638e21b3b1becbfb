# SPDX-License-Identifier: MIT
"""What the office says of its gateways: silent, clock, store, version, and one cause for many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .office import DAY, HOUR, INFLUX, MINUTE, Bench, Mail

LAST = "18.11 16:06"  # in Baku, an hour after the start: the last word of those that die
ALL = tuple(f"kahriz-{letter}" for letter in "abcdef")


@pytest.fixture(scope="module")
def smtp() -> Iterator[Mail]:
    made = Mail()
    yield made
    made.close()


@pytest.fixture
def mail(smtp: Mail) -> Mail:
    """The real mail server, emptied."""
    smtp.post.clear()
    return smtp


@pytest.fixture
def bench(tmp_path: Path, mail: Mail) -> Iterator[Bench]:
    made = Bench(tmp_path, mail=mail)
    yield made
    made.conn.close()


@pytest.fixture
def fed(tmp_path: Path, mail: Mail) -> Iterator[Bench]:
    """An office with an InfluxDB, whose answers a test gives."""
    made = Bench(tmp_path, INFLUX, mail)
    yield made
    made.conn.close()


def test_a_dead_gateway_rings_once_and_ends_by_itself_when_it_is_back(bench: Bench) -> None:
    bench.add("left", "right", "third")
    bench.goes(HOUR, "left", "right", "third")
    bench.goes(2 * HOUR, "right", "third")
    assert bench.standing() == set()
    bench.goes(HOUR, "right", "third")
    assert bench.standing() == {("gateway_silent", "left")}
    bench.goes(20 * HOUR, "right", "third")
    assert bench.ever("gateway_silent") == 1
    assert bench.mails() == [f"Şlüz susur: left, {LAST}, cavab 1"]
    bench.goes(HOUR, "left", "right", "third")
    assert bench.alarms() == []
    assert bench.mails()[1:] == [f"Şlüz susur: left, {LAST}, ✓"]
    assert bench.ever("gateway_silent") == 1


def test_a_gateway_that_is_known_and_was_never_heard_is_silent(bench: Bench) -> None:
    bench.add("left", "right", "never")
    bench.goes(3 * HOUR, "left", "right")
    assert bench.standing() == {("gateway_silent", "never")}
    (alarm,) = bench.alarms()
    assert alarm.evidence["says"] == "it has never been heard"


def test_many_that_stop_at_once_are_one_alarm_at_the_office(bench: Bench) -> None:
    bench.add(*ALL)
    bench.goes(HOUR, *ALL)
    bench.goes(5 * HOUR)
    assert bench.standing() == {("many_gateways", "office")}
    assert bench.mails() == [f"Bir neçə şlüz birdən: Ofis, {LAST}, cavab 1"]
    assert sum(a.kind == "gateway_silent" and a.parent is not None for a in bench.alarms()) == 6
    bench.goes(2 * HOUR, *ALL)
    assert bench.alarms() == []
    assert bench.mails()[1:] == [f"Bir neçə şlüz birdən: Ofis, {LAST}, ✓"]


def test_a_region_that_is_dark_is_one_alarm_there(bench: Bench) -> None:
    bench.add(*ALL[:2], region="agdam")
    bench.add(*ALL[2:], region="fuzuli")
    bench.goes(HOUR, *ALL)
    bench.goes(4 * HOUR, *ALL[2:])
    assert bench.standing() == {("many_gateways", "agdam")}
    assert bench.mails() == [f"Bir neçə şlüz birdən: agdam, {LAST}, cavab 1"]


def test_what_is_still_silent_when_the_cause_is_over_is_told_alone(bench: Bench) -> None:
    bench.add(*ALL)
    bench.goes(HOUR, *ALL)
    bench.goes(4 * HOUR)
    bench.goes(2 * HOUR, *ALL[1:])
    assert bench.standing() == {("gateway_silent", ALL[0])}
    first, second = bench.mails()  # the end of the one and the other come together
    assert first == f"Bir neçə şlüz birdən: Ofis, {LAST}, cavab 1"
    assert second.startswith(f"Bir neçə şlüz birdən: Ofis, {LAST}, +1")
    assert f"Şlüz susur: {ALL[0]}" in str(bench.post[1].get_payload(decode=True), "utf-8")


def test_two_that_die_on_different_days_have_no_common_cause(bench: Bench) -> None:
    bench.add(*ALL[:4])
    bench.goes(DAY, *ALL[:4])
    bench.goes(DAY, *ALL[1:4])
    bench.goes(DAY, *ALL[2:4])
    assert bench.standing() == {("gateway_silent", ALL[0]), ("gateway_silent", ALL[1])}


def test_a_server_that_was_switched_off_for_a_night_accuses_nobody(bench: Bench) -> None:
    bench.add(*ALL)
    bench.goes(HOUR, *ALL)
    bench.clock.ms += 10 * HOUR
    bench.begin()
    bench.goes(HOUR)
    assert bench.alarms() == []
    bench.goes(3 * HOUR, *ALL[1:])
    assert bench.standing() == {("gateway_silent", ALL[0])}


def test_short_restarts_do_not_begin_the_silence_anew(bench: Bench) -> None:
    bench.add(*ALL[:3])
    bench.goes(HOUR, *ALL[:3])
    for _ in range(6):
        bench.goes(30 * MINUTE, *ALL[1:3])
        bench.begin()
    assert ("gateway_silent", ALL[0]) in bench.standing()


def test_a_clock_of_ours_that_leapt_and_came_back_neither_rings_nor_hides_a_death(
    bench: Bench,
) -> None:
    bench.add(*ALL[:3])
    bench.goes(HOUR, *ALL[:3])
    bench.clock.ms += 400 * DAY
    bench.hear(*ALL[:3], at=bench.clock.ms - 400 * DAY)
    bench.keeper.tick(bench.conn)
    assert bench.alarms() == []
    bench.clock.ms -= 400 * DAY
    bench.goes(3 * HOUR, *ALL[1:3])
    assert bench.standing() == {("gateway_silent", ALL[0])}


def test_a_clock_that_is_a_day_off_is_told_and_ends_when_it_is_right(bench: Bench) -> None:
    bench.add(*ALL[:3])
    bench.goes(HOUR, ALL[0], off=-DAY)
    assert ("gateway_clock", ALL[0]) in bench.standing()
    assert bench.alarms()[0].evidence["says"] == "1440 minutes behind"
    bench.goes(HOUR, *ALL[:3])
    assert bench.alarms() == []


def test_a_clock_that_its_gateway_does_not_believe_is_told(bench: Bench) -> None:
    bench.add("left")
    bench.goes(HOUR, "left", trusted=False)
    assert bench.standing() == {("gateway_clock", "left")}


def test_clocks_that_are_all_wrong_by_the_same_are_our_own_clock(bench: Bench) -> None:
    bench.add(*ALL)
    bench.goes(HOUR, *ALL, off=3 * HOUR)
    assert bench.standing() == {("many_gateways", "office")}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"room_used": 0.9}, "90% of the room is used"),
        ({"room_used": 0.3, "days_left": 12.0}, "30% of the room is used, 12 days are left"),
        ({"stopped": True}, "nothing can be stored now"),
    ],
)
def test_a_store_that_fills_is_told_with_its_days(
    bench: Bench, words: dict[str, object], says: str
) -> None:
    bench.add("left")
    bench.goes(HOUR, "left", room_used=0.2, days_left=500.0)
    assert bench.alarms() == []
    bench.goes(HOUR, "left", **words)
    assert bench.standing() == {("gateway_store", "left")}
    assert bench.alarms()[0].evidence["says"] == says


def test_what_a_gateway_said_last_is_not_over_because_it_fell_silent(bench: Bench) -> None:
    bench.add("left", "right", "third")
    bench.goes(HOUR, "left", "right", "third")
    bench.goes(HOUR, "left", room_used=0.9)
    bench.goes(5 * HOUR, "right", "third")
    assert bench.standing() == {("gateway_store", "left"), ("gateway_silent", "left")}


def test_an_old_program_is_told(bench: Bench) -> None:
    bench.add("left", "right")
    bench.goes(HOUR, "left", version="0.0.9")
    bench.goes(HOUR, "right", "left", version="0.0.9")
    bench.goes(HOUR, "right", version="0.10.0")
    assert bench.standing() == {("gateway_version", "left")}


def test_readings_without_a_heartbeat_are_not_called_silence(fed: Bench) -> None:
    fed.add(*ALL[:3])
    fed.goes(HOUR, *ALL[:3], data=True, fed=ALL[:3])
    fed.goes(4 * HOUR, *ALL[1:3], data=True, fed=ALL[:3])
    assert fed.standing() == {("no_heartbeat", ALL[0])}


def test_a_heartbeat_without_readings_says_what_waits_at_the_gateway(fed: Bench) -> None:
    fed.add(*ALL[:3])
    fed.goes(HOUR, *ALL[:3], data=True, fed=ALL[:3])
    fed.goes(8 * HOUR, *ALL[:3], data=True, fed=ALL[1:3], backlog=77)
    assert fed.standing() == {("no_data", ALL[0])}
    assert fed.alarms()[0].evidence["says"] == "77 changes wait at the gateway"


def test_a_database_that_does_not_answer_is_no_fault_of_the_gateways(fed: Bench) -> None:
    fed.add(*ALL)
    fed.goes(HOUR, *ALL, data=True, fed=ALL)
    fed.goes(20 * HOUR, *ALL, data=False)
    assert fed.standing() == {("office_database", "office")}
    fed.goes(HOUR, *ALL, data=True)  # they have begun to send what waited
    assert fed.alarms() == []


def test_heartbeats_that_all_stop_while_readings_come_are_one_alarm(fed: Bench) -> None:
    fed.add(*ALL)
    fed.goes(HOUR, *ALL, data=True, fed=ALL)
    fed.goes(4 * HOUR, data=True, fed=ALL)
    assert fed.standing() == {("many_gateways", "office")}
    (told,) = [a for a in fed.alarms() if a.parent is None]
    assert told.evidence["says"] == "no_heartbeat: 6 gateways"


def test_a_gateway_that_is_removed_ends_its_alarms(bench: Bench) -> None:
    from kahriz_server.watch import store

    bench.add("left", "right", "third")
    bench.goes(4 * HOUR, "right", "third")
    assert bench.standing() == {("gateway_silent", "left")}
    with store.transaction(bench.conn):
        assert store.remove(bench.conn, "left")
    bench.goes(HOUR, "right", "third")
    assert bench.alarms() == []


def test_a_flutter_within_the_patience_rings_nobody(bench: Bench) -> None:
    bench.add("left", "right", "third")
    for _ in range(5):
        bench.goes(2 * HOUR - 8 * MINUTE, "right", "third")
        bench.goes(8 * MINUTE, "left", "right", "third")
    assert bench.ever("gateway_silent") == 0
