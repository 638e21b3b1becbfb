# SPDX-License-Identifier: MIT
"""The gateway's side of the heartbeat: numbers only, no harm, a crew that hears of a gone office.

The office here is its real server on a real socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_gateway import notify_sign
from kahriz_gateway.alarms.office import GONE_MS, OfficeWatch
from kahriz_gateway.checks import IDLE, PASS, About, Finding, examine
from kahriz_gateway.cli import gateway
from kahriz_gateway.config import Options
from kahriz_gateway.heartbeat.beats import KEY_FILE, seed_of
from kahriz_gateway.heartbeat.collect import collect
from kahriz_gateway.village import store as village_store
from kahriz_server.watch import store
from kahriz_water.plan import parse_plan
from kahriz_water.site import Influx, Ups
from kahriz_water.strict import ConfigError
from tests.gateway.heart import (
    PLAN,
    SECRETS,
    TEXT,
    Village,
    answering,
    heard,
    standing,
)
from tests.server.office import HOUR, START, Bench, Door

from .conftest import TestClock


@pytest.fixture
def stood(tmp_path: Path) -> Iterator[tuple[Bench, Village, Door]]:
    with standing(tmp_path) as made:
        yield made


@pytest.fixture
def bench(stood: tuple[Bench, Village, Door]) -> Bench:
    return stood[0]


@pytest.fixture
def village(stood: tuple[Bench, Village, Door]) -> Village:
    return stood[1]


@pytest.fixture
def office(stood: tuple[Bench, Village, Door]) -> Door:
    return stood[2]


def test_the_office_hears_how_the_gateway_is(bench: Bench, village: Village) -> None:
    notify_sign.write(village.data, "intake", {"state": "online", "trouble": "disk is full"})
    assert 9 * 60 <= village.step() <= 11 * 60
    found = heard(bench)
    assert found.received == START
    assert found.beat is not None
    assert (found.beat.site, found.beat.alarms, found.beat.stopped) == (PLAN.id, 0, True)
    assert found.beat.room_used is not None


def test_a_gateway_says_its_power_what_waits_and_how_long_the_disk_lasts(
    village: Village, tmp_path: Path
) -> None:
    mains = tmp_path / "mains"
    mains.write_text("0")
    plan = replace(village.plan, ups=Ups(str(mains)), influx=Influx("http://x"))
    day = 86_400_000
    village_store.set_state(village.conn, "room", [[START - 10 * day, 1 << 60]])
    power = {"on_mains": False, "used_ms": HOUR, "at_ms": START}
    village_store.set_state(village.conn, "power", power)
    values = [
        village_store.Value("outlet", "stage_m", START - n * HOUR, 0.1, None, 1) for n in range(5)
    ]
    with village_store.transaction(village.conn):
        village_store.put_values(village.conn, values)
    beat = collect(plan, village.data, village.clock, 1)
    assert (beat.mains, beat.battery_hours) == (False, 7.0)
    assert beat.backlog is not None
    assert beat.backlog > 0
    assert beat.unsent_ms == START - 4 * HOUR
    assert beat.days_left is not None


def test_no_name_telephone_photo_or_note_of_a_person_is_on_the_wire(village: Village) -> None:
    """Everything that is sent, byte by byte, from a village that knows them all."""
    person = (
        '[[person]]\nid = "quliyev"\nname = "Quliyev"\nrole = "crew"\nlanguage = "az"\n'
        'channels = ["email"]\nphone = "+994501234567"\nemail = "ali@example.az"\n'
    )
    plan = replace(PLAN, people=parse_plan(TEXT + person).people)
    name, phone, photo, note, _ = SECRETS
    conn = village.conn
    conn.execute(
        "INSERT INTO alarm(kind, place, state, raised, stored, evidence, owner)"
        " VALUES('leak','upper','raised',1,1,?,?)",
        (json.dumps({"note": note}), name),
    )
    conn.execute(
        "INSERT INTO alarm_event(alarm, at, what, who, note) VALUES(1,1,'raised',?,?)",
        (name, photo),
    )
    conn.execute("INSERT INTO incoming VALUES('sms','1',1,1,?,?,?,'')", (phone, name, note))
    notify_sign.write(village.data, "village", {"trouble": f"{name} {phone}"})
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with answering(reply) as (port, kept):
        village.point(port, plan=plan)  # the people are in the plan, too
        assert village.step() > 60
    (sent,) = kept
    assert b'"alarms":1' in sent
    assert [secret for secret in SECRETS if secret.encode() in sent] == []
    body = json.loads(sent.partition(b"\r\n\r\n")[2])
    assert {k for k, v in body.items() if isinstance(v, str)} == {"site", "version"}


def test_a_new_card_goes_on_after_the_number_that_the_office_has_heard(
    bench: Bench, village: Village
) -> None:
    village.clock.ms += 400 * 24 * HOUR  # its clock was far ahead
    village.step()
    ahead = heard(bench).n
    village.clock.ms = START
    village.point(int(village.plan.server.url.rpartition(":")[2]))  # type: ignore[union-attr]
    bench.clock.ms += HOUR
    village.step()
    assert heard(bench).received == START + HOUR
    assert heard(bench).n == ahead + 1
    village.step()
    assert heard(bench).n == ahead + 2


def test_a_day_without_the_office_is_told_once_and_ends_when_it_hears_again(
    bench: Bench, village: Village, office: Door
) -> None:
    village.step()
    village.point(1)
    for _ in range(3):
        village.step()
        village.clock.ms += GONE_MS // 2
    assert village.alarm
    for _ in range(5):
        village.step()
        village.clock.ms += GONE_MS
    assert village.alarms() == 1
    village.point(office.port)
    village.step()
    assert not village.alarm
    assert village.alarms() == 1


def test_an_unknown_key_is_said_with_its_mend(
    bench: Bench, village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    with store.transaction(bench.conn):
        store.remove(bench.conn, PLAN.id)
    assert village.step() == 60.0
    assert "kahriz server gateway add" in caplog.text
    assert village.step() == 120.0  # and it does not knock every second
    caplog.clear()
    village.step()
    assert caplog.text == ""  # nor say it again


def test_an_alarm_of_two_ways_ends_when_both_work(village: Village) -> None:
    village.plan = replace(village.plan, influx=Influx("http://x"))
    ways = {n: OfficeWatch(n, village.plan, village.clock, {}) for n in ("influx", "server")}
    for _ in range(3):
        for way in ways.values():
            way.failed(village.conn, "gone")
        village.clock.ms += GONE_MS
    assert village.alarms() == 1
    ways["influx"].worked(village.conn)
    assert village.alarm
    ways["server"].worked(village.conn)
    assert not village.alarm


def test_an_alarm_of_a_way_that_is_no_longer_in_the_plan_ends(village: Village) -> None:
    plan = replace(village.plan, influx=Influx("http://x"))
    lost = OfficeWatch("influx", plan, village.clock, {})
    for _ in range(3):
        lost.failed(village.conn, "gone")
        village.clock.ms += GONE_MS
    assert village.alarm
    village.step()
    assert not village.alarm


@pytest.mark.parametrize(
    "reply",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 409 No\r\nContent-Length: 20\r\nConnection: close\r\n\r\n[" + b"[" * 19,
        b'HTTP/1.1 409 No\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"newest":"one"}',
        b"HTTP/1.1 301 No\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_office_that_answers_nonsense_harms_nothing(village: Village, reply: bytes) -> None:
    with answering(reply) as (port, kept):
        village.point(port)
        assert village.step() == 60.0
        assert len(kept) == 1


def test_an_office_that_never_answers_is_given_up_after_the_deadline(village: Village) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n") as (port, kept):
        village.point(port, deadline_s=0.2)
        assert village.step() == 60.0
        assert village.step() == 120.0
        assert len(kept) <= 1  # no second try is begun beside it


def test_the_command_shows_the_key_and_tries_the_way(
    bench: Bench, village: Village, office: Door, tmp_path: Path
) -> None:
    config = tmp_path / "site.toml"
    given = ["heartbeat", "--config", str(config), "--data", str(village.data)]
    config.write_text(TEXT, encoding="utf-8")
    assert CliRunner().invoke(gateway, given).exit_code == 3
    table = f'[server]\nurl = "http://127.0.0.1:{office.port}"\n'
    config.write_text(TEXT + table, encoding="utf-8")
    said = CliRunner().invoke(gateway, [*given, "--send"])
    assert said.exit_code == 0, said.output
    assert key.public(seed_of(village.data)) in said.output
    assert "heard by" in said.output
    assert heard(bench).received == START
    (village.data / KEY_FILE).unlink()
    said = CliRunner().invoke(gateway, given)
    assert said.exit_code == 6
    assert "the village makes it" in said.output


def test_the_doctor_tries_the_way_to_the_office(
    bench: Bench, village: Village, office: Door, tmp_path: Path
) -> None:
    config = tmp_path / "site.toml"

    def look(server: str) -> Finding:
        config.write_text(TEXT + server, encoding="utf-8")
        (found,) = examine(About(Options(config, village.data)), ("office",))
        return found.finding

    assert look("").state == IDLE
    well = f'[server]\nurl = "http://127.0.0.1:{office.port}"\n'
    assert look(well).state == PASS
    with store.transaction(bench.conn):
        store.remove(bench.conn, PLAN.id)
    assert f"add {PLAN.id} ed25519:" in look(well).mend
    assert "does not answer" in look('[server]\nurl = "http://127.0.0.1:1"\n').says
    (village.data / KEY_FILE).unlink()
    assert "start the village" in look(well).mend


@pytest.mark.parametrize(
    "url", ["http://office.example.az", "office.example.az", "ftp://127.0.0.1", "https://"]
)
def test_a_heartbeat_goes_over_https_or_stays_on_this_machine(url: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        parse_plan(f'{TEXT}[server]\nurl = "{url}"\n')


def test_the_key_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    seed = seed_of(tmp_path)
    assert seed_of(tmp_path) == seed
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    body = wire.body(wire.Beat("x", 1, 1, "0.1.0", True))
    assert key.verify(key.public(seed), key.sign(seed, body), body)
    assert not key.verify(key.public(seed), key.sign(seed, body), body + b" ")


def test_a_store_that_cannot_be_read_still_leaves_a_heartbeat(tmp_path: Path) -> None:
    (tmp_path / "village.db").write_bytes(b"no database" * 1000)
    beat = collect(PLAN, tmp_path, TestClock(START), 1)
    assert (beat.alarms, beat.stopped, beat.at) == (None, False, START)
