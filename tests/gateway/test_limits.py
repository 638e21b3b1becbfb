# SPDX-License-Identifier: MIT
"""Room, mains, trouble: told at 50 % and 80 %, in days and hours; a full disk, a wrong clock."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from kahriz_gateway import limits, notify_sign, ups
from kahriz_gateway.certificate_ends import ends_ms, soonest
from kahriz_gateway.config import Options, read_plan
from kahriz_gateway.intake.store import notice, open_store
from kahriz_gateway.limits import DAY_MS, Room, days_left, remember
from kahriz_gateway.page import health
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.upkeep import EVERY_MS, Upkeep
from kahriz_water.plan import Plan, parse_plan
from kahriz_water.site import Ups
from kahriz_water.strict import ConfigError
from kahriz_wire.messages import Row

from .conftest import NOW_MS, PATIENCE_S, SITE, SITE_TOML, Gateway, rows, wait_for
from .site_broker import Site

HOUR_MS = 3_600_000


def plan_with(tmp_path: Path, power: Ups | None = None) -> Plan:
    return replace(parse_plan(SITE_TOML.read_text(encoding="utf-8")), ups=power)


class Keeper:
    """An upkeep whose clock the test moves."""

    def __init__(self, data: Path, plan: Plan) -> None:
        self.data = data
        self.plan = plan
        self.readings = open_store(data / "readings.db", SITE)
        self.conn = village_store.open_village(data / "village.db")
        self.now_ms = NOW_MS
        self.restart()

    def restart(self) -> None:
        self._upkeep = Upkeep(self.conn, self.plan, self.data, {"log": ("raised", "cleared")})

    def look(self, passed_ms: int = EVERY_MS) -> dict[str, str]:
        """Let time pass, look; the open alarms with their detail."""
        self.now_ms += passed_ms
        self._upkeep.look(self.readings, self.now_ms)
        found = self.conn.execute(
            "SELECT kind, evidence FROM alarm WHERE closed IS NULL AND calm IS NULL"
        )
        return {kind: json.loads(evidence)["detail"] for kind, evidence in found}

    def notice(self, kind: str, node: str | None = "outlet", at: int | None = 0) -> None:
        notice(self.readings, self.now_ms if at == 0 else at, node, kind, f"{kind} in words")

    def raised(self, kind: str) -> int:
        return int(
            self.conn.execute("SELECT count(*) FROM alarm WHERE kind=?", (kind,)).fetchone()[0]
        )


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(tmp_path, plan_with(tmp_path))
    yield made
    made.conn.close()
    made.readings.close()


def test_the_pace_is_known_after_a_day_and_gives_days(tmp_path: Path) -> None:
    samples: list[limits.Sample] = []
    for day in range(40):
        samples = remember(samples, day * DAY_MS, 10_000 - 100 * day)
    assert len(samples) == limits.DAYS_KEPT + 1
    assert days_left(samples, 39 * DAY_MS, 6_100) == pytest.approx(61)
    assert days_left(samples[-1:], 39 * DAY_MS + HOUR_MS, 6_000) is None, "an hour is no pace"
    assert days_left(samples, 39 * DAY_MS, 20_000) is None, "nothing is used up"
    assert remember(samples, 5 * DAY_MS, 7) == [[5 * DAY_MS, 7]], "the clock was set back"


def test_a_person_is_told_at_half_and_at_four_fifths_and_when_it_is_over(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    now: list[Room] = [Room(49, 51)]
    monkeypatch.setattr(limits, "room", lambda data: now[0])
    assert keeper.look() == {}
    now[0] = Room(50, 50)
    assert list(keeper.look()) == ["disk_half"]
    now[0] = Room(80, 20_000_000 // 10**6)
    assert list(keeper.look(10 * DAY_MS)) == ["disk_nearly_full"]
    assert "days at the present pace" in keeper.look()["disk_nearly_full"]
    now[0] = Room(10, 90)
    assert keeper.look() == {}


def test_other_programs_use_up_our_room_too(tmp_path: Path) -> None:
    (tmp_path / "readings.db").write_bytes(b"x" * 1000)
    found = limits.room(tmp_path)
    assert found.ours == 1000
    assert 0 < found.share < 0.01
    assert Room(1000, 0).share == 1.0


def test_a_notice_rings_once_until_its_time_is_over(keeper: Keeper) -> None:
    keeper.notice("twin")
    assert keeper.look() == {"twin": "twin in words"}
    keeper.restart()
    assert keeper.look(DAY_MS) == {"twin": "twin in words"}
    keeper.notice("twin")  # it goes on
    assert keeper.look(DAY_MS + HOUR_MS) == {"twin": "twin in words"}
    assert keeper.raised("twin") == 1
    assert keeper.look(2 * DAY_MS) == {}
    keeper.notice("twin")
    assert list(keeper.look()) == ["twin"]
    assert keeper.raised("twin") == 2, "when it comes back after its end, that is a new one"


def test_what_a_person_has_closed_comes_back_only_with_news(keeper: Keeper) -> None:
    keeper.notice("journal_replaced")
    keeper.look()
    keeper.conn.execute("UPDATE alarm SET state='closed', closed=?", (keeper.now_ms,))
    assert keeper.look() == {}
    keeper.notice("journal_replaced")
    assert list(keeper.look()) == ["journal_replaced"]


def test_a_notice_without_a_time_is_dated_when_it_is_first_seen(keeper: Keeper) -> None:
    keeper.notice("ledger_recounted", at=None)
    assert list(keeper.look()) == ["ledger_recounted"]
    keeper.restart()
    assert list(keeper.look(6 * DAY_MS)) == ["ledger_recounted"]
    assert keeper.look(2 * DAY_MS) == {}


def test_every_alarm_of_the_gateway_has_words_in_three_languages() -> None:
    from kahriz_alarms import messages
    from kahriz_alarms.alarm import Alarm
    from kahriz_gateway.village.notices import KINDS
    from kahriz_gateway.village.upkeep import OURS

    assert {alarm for alarm, _ in KINDS.values()} <= set(OURS)
    for kind in OURS:
        alarm = Alarm(1, kind, SITE, "raised", NOW_MS, NOW_MS)
        texts = {messages.kind(alarm, language) for language in ("az", "ru", "en")}
        assert len(texts) == 3, kind


def test_trouble_of_intake_rings_while_it_lasts(keeper: Keeper) -> None:
    notify_sign.write(keeper.data, "intake", {"state": "online", "trouble": "disk is full"})
    assert keeper.look() == {"store": "disk is full"}
    notify_sign.write(keeper.data, "intake", {"state": "online"})
    assert keeper.look() == {}


@pytest.fixture
def powered(tmp_path: Path) -> Iterator[Keeper]:
    gpio = tmp_path / "gpio"
    gpio.write_text("1\n")
    (tmp_path / "data").mkdir()
    made = Keeper(tmp_path / "data", plan_with(tmp_path, Ups(str(gpio), "0", 8.0, 0.5)))
    yield made
    made.conn.close()
    made.readings.close()


def test_mains_lost_rings_with_the_hours_left_and_asks_for_a_clean_end(powered: Keeper) -> None:
    gpio = powered.data.parent / "gpio"
    off = powered.data / ups.POWER_OFF
    assert powered.look() == {}
    gpio.write_text("0\n")
    assert powered.look()["mains"].startswith("8.0 hours")
    powered.look(4 * HOUR_MS)
    powered.restart()  # the battery's hours are not forgotten
    powered.look(HOUR_MS)
    assert not off.exists()
    found = powered.look(3 * HOUR_MS)
    assert list(found) == ["mains"]
    assert not off.exists()
    found = powered.look(40 * 60_000)
    assert sorted(found) == ["mains", "mains_ending"]
    assert off.exists()
    gpio.write_text("1\n")
    assert powered.look() == {}
    assert not off.exists(), "the mains came back in time"


def test_the_wish_to_be_switched_off_does_not_outlive_a_start(
    tmp_path: Path, clock_file: Path
) -> None:
    """`gateway run` ends both services cleanly when it appears, and forgets an old one."""
    data = tmp_path / "data"
    data.mkdir()
    end = ups.end_file(data, {})
    end.touch()
    assert ups.end_file(data, {"RUNTIME_DIRECTORY": "/run/kahriz-village"}).parts[1] == "run"
    argv = [sys.executable, "-m", "kahriz", "gateway", "run", "--config", str(SITE_TOML),
            "--data", str(data), "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
            "--clock-file", str(clock_file)]  # fmt: skip
    child = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        for service in ("intake", "village"):
            wait_for(lambda s=service: notify_sign.read(data, s), f"{service} works")
        assert not end.exists()
        end.touch()
        assert child.wait(PATIENCE_S) == 0
        for service in ("intake", "village"):
            assert (notify_sign.read(data, service) or {})["state"] == "stopped"
    finally:
        child.kill()


def test_the_battery_fills_up_more_slowly_than_it_empties(tmp_path: Path) -> None:
    plan = Ups(str(tmp_path / "gpio"), "0", 8.0, 0.5)
    power = ups.after(None, True, NOW_MS)
    power = ups.after(power, False, NOW_MS + 1)
    power = ups.after(power, True, NOW_MS + 4 * HOUR_MS)
    assert power.hours_left(plan) == pytest.approx(4, abs=0.01)
    power = ups.after(power, True, NOW_MS + 6 * HOUR_MS)
    assert power.hours_left(plan) == pytest.approx(5, abs=0.01)
    assert ups.after(power, True, NOW_MS).used_ms == power.used_ms, "a clock set back"
    assert ups.on_mains(plan) is None, "no file: nobody knows"


def test_a_plan_names_its_ups_and_refuses_what_it_does_not_know() -> None:
    text = SITE_TOML.read_text(encoding="utf-8")
    plan = parse_plan(text + '\n[ups]\nfile = "/run/mains"\nlost = "OB"\nhours = 5\n')
    assert plan.ups == Ups("/run/mains", "OB", 5.0, 0.5)
    assert parse_plan(text).ups is None
    with pytest.raises(ConfigError, match="hours"):
        parse_plan(text + '\n[ups]\nfile = "/run/mains"\nhours = -1\n')
    with pytest.raises(ConfigError, match="minutes"):
        parse_plan(text + '\n[ups]\nfile = "/run/mains"\nminutes = 5\n')


def test_a_certificate_that_is_about_to_end_rings_in_time(tmp_path: Path) -> None:
    site = Site(tmp_path)
    plan = read_plan(Options(site.plan(), tmp_path))
    keeper = Keeper(tmp_path, plan)
    for name in ("ca.pem", "broker.pem", "gateway.village.pem"):
        pem = (site.gateway / name).read_bytes()
        (known,) = x509.load_pem_x509_certificates(pem)
        end_ms = known.not_valid_after_utc.timestamp() * 1000
        assert ends_ms(pem.decode()) == [round(end_ms)], name
    assert plan.broker.tls is not None
    name, end = soonest(plan.broker.tls, "village") or ("", 0)
    assert name == "broker.pem", "nodes cannot read a revocation: what a thief has ends first"
    keeper.now_ms = end - 61 * DAY_MS
    assert keeper.look() == {}
    keeper.now_ms = end - 60 * DAY_MS
    told = keeper.look()["certificate"]
    assert told == "broker.pem ends in 59 days: kahriz site ca renew broker"
    certificate = (site.gateway / "broker.pem").read_bytes()
    (site.gateway / "broker.pem").write_bytes((site.gateway / "doctor.pem").read_bytes())
    assert keeper.look() == {"certificate": told}, "looked for once an hour"
    assert keeper.look(HOUR_MS) == {}, "a newer one is in place"
    (site.gateway / "broker.pem").write_bytes(certificate)
    assert "certificate" in keeper.look(120 * DAY_MS), "the old one again, and now ended"
    keeper.conn.close()
    keeper.readings.close()


def test_health_says_what_is_wrong_in_words(powered: Keeper) -> None:
    def found(trusted: bool = True) -> dict[str, str]:
        checks = health.checks(powered.plan, powered.data, powered.now_ms, trusted)
        return {name: check.found for name, check in checks.items() if not check.ok}

    lock = notify_sign.take_lock(powered.data)
    assert lock is not None
    notify_sign.write(powered.data, "intake", {"state": "waiting"})
    assert found()["intake"] == "not connected to the broker"
    notify_sign.write(powered.data, "intake", {"state": "online", "trouble": "disk is full"})
    assert "no receipts" in found()["intake"]
    lock.close()
    assert found()["intake"] == "the service does not run"
    notify_sign.write(powered.data, "village", {"state": "working", "trouble": "disk is full"})
    assert "no new values or alarms" in found()["village"]
    assert "no time" in found(trusted=False)["clock"]
    powered.look()
    (powered.data.parent / "gpio").write_text("0")
    powered.look()
    powered.look(HOUR_MS)
    assert found()["mains"] == "mains are lost, 7.0 hours left"
    (powered.data.parent / "gpio").unlink()
    assert "nobody would notice" in found()["mains"]


def test_a_full_disk_stops_the_villages_values_and_not_its_page(
    tmp_path: Path, clock_file: Path
) -> None:
    """The kernel refuses the village's writes until there is room again; nothing is left out."""
    data = tmp_path / "data"
    gateway = Gateway(data / "readings.db")
    gateway.hello(1, 25)
    gateway.up(rows(1, 12))
    log = tmp_path / "log"
    argv = [sys.executable, "-m", "kahriz", "gateway", "village", "--config", str(SITE_TOML),
            "--data", str(data), "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
            "--clock-file", str(clock_file)]  # fmt: skip
    with contextlib.closing(village_store.open_village(data / "village.db")) as conn:
        conn.execute(
            "INSERT INTO deployment(node, channel, point, from_ms, zero_m)"
            " VALUES('outlet', 'weir', 'outlet', 0, 0.8)"
        )

        def values() -> int:
            return int(conn.execute("SELECT count(DISTINCT ts) FROM value").fetchone()[0])

        with log.open("wb") as out:
            child = subprocess.Popen(argv, stdout=out, stderr=out)
        try:
            wait_for(lambda: values() == 12, "the first rows are interpreted")
            page = wait_for(lambda: _address(log), "the page has its address")
            wait_for(lambda: _answers(page), "the page answers")
            size = max(p.stat().st_size for p in data.glob("village.*"))
            before = resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, -1))
            gateway.up(rows(13, 24))
            wait_for(lambda: "trouble" in (notify_sign.read(data, "village") or {}), "it says so")
            assert child.poll() is None
            status, body = _get(page + "/healthz")
            assert (status, "no new values" in body["village"]["found"]) == (503, True)
            assert urllib.request.urlopen(page + "/", timeout=PATIENCE_S).status == 200
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, before)
            wait_for(lambda: values() == 24, "what waited is stored")
            wait_for(lambda: "trouble" not in (notify_sign.read(data, "village") or {}), "well")
            assert log.read_bytes().count(b"the page goes on") == 1
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE_S) == 0
        finally:
            child.kill()


def _address(log: Path) -> str | None:
    mark = b"page: "
    for line in log.read_bytes().splitlines():
        if mark in line:
            return line.split(mark)[1].decode()
    return None


def _answers(url: str) -> bool:
    try:
        return bool(_get(url + "/healthz")[0])
    except OSError:
        return False


def _get(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_wrong_clock_at_the_start_refuses_waits_and_dates_again(gateway: Gateway) -> None:
    """1970 after a power cut: no node is told that time, no row gets it; the network mends it."""
    gateway.clock.ms, gateway.clock.is_trusted = 86_400_000, False
    receipt = gateway.hello(1, 3, up_s=600, boot=7)
    assert receipt.now is None, "a node must not learn a wrong time"
    undated = [Row(n, 1, {"weir_distance_m": 0.6}, None, "unk", 300 * n, 7) for n in (1, 2)]
    answer = gateway.up(undated)
    assert answer is not None
    assert answer.upto == 2, "they are stored and receipted all the same"
    assert gateway.query("SELECT ts, tq, received FROM reading") == [(None, "unk", None)] * 2
    gateway.clock.ms, gateway.clock.is_trusted = NOW_MS, True
    receipt = gateway.hello(1, 3, up_s=900, boot=7)
    assert receipt.now == NOW_MS
    assert gateway.query("SELECT n, ts, tq FROM reading ORDER BY n") == [
        (1, NOW_MS - 600_000, "dated"), (2, NOW_MS - 300_000, "dated"),
    ]  # fmt: skip
    gateway.up([Row(3, 1, {"weir_distance_m": 0.6}, 1_000_000, None)])
    assert gateway.query("SELECT count(*) FROM reading") == [(2,)], "1970 is not believed"
    assert "a time before this program" in gateway.reasons()[0]
