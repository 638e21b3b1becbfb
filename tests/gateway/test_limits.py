# SPDX-License-Identifier: MIT
"""Room and certificates: told at 50 % and 80 % in days, and in time; notices ring once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from kahriz_gateway import limits, notify_sign
from kahriz_gateway.certificate_ends import ends_ms, soonest
from kahriz_gateway.config import Options, read_plan
from kahriz_gateway.limits import DAY_MS, Room, days_left, remember

from .conftest import NOW_MS, SITE
from .site_broker import Site
from .upkeep import Keeper, plan_with

HOUR_MS = 3_600_000


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
