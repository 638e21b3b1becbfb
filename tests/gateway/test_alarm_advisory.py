# SPDX-License-Identifier: MIT
""" "Do not drink until tested": by a storm or by the committee, told to all, shown, and ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.finding import CLEARED
from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.cli import alarm as command
from kahriz_gateway.village import store as village_store

from .test_alarm_api import Site, site, until  # noqa: F401
from .test_alarm_loop import (
    DAY_MS,
    HOUR_MS,
    PEOPLE,
    PLAN,
    RAISED,
    TELLS,
    TEXT,
    Finding,
    Loop,
)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def words(loop: Loop) -> list[tuple[str, str]]:
    rows = loop.conn.execute("SELECT person, text FROM message WHERE sort='word' ORDER BY id")
    return [(r["person"], r["text"]) for r in rows]


def storm(loop: Loop, what: str) -> None:
    loop.find(Finding(what, "storm", "outlet", loop.clock.ms))


def test_a_storm_begins_it_and_the_days_set_follow_the_storm(loop: Loop) -> None:
    storm(loop, RAISED)
    loop.tick()
    advisory = alarm_advisory.running(loop.conn, PLAN)
    assert advisory is not None
    assert advisory.until == loop.clock.ms + 3 * DAY_MS
    assert [person for person, _ in words(loop)] == ["ali", "rena"]
    assert words(loop)[0][1].startswith("Gözlü kəhrizi, Banovşalar: su yoxlanana qədər içməyin")
    assert words(loop)[0][1].endswith("Uşaqları ağızdan uzaq tutun: su birdən gələ bilər.")
    urgent = [p.person for p in alarm_post.in_state(loop.conn, "waiting") if p.sort == "urgent"]
    assert urgent == ["ali"]  # the crew is asked about the storm; nobody about the advisory
    loop.tick(5 * DAY_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is not None
    storm(loop, CLEARED)
    end = loop.clock.ms + 3 * DAY_MS
    loop.tick(3 * DAY_MS - HOUR_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is not None
    loop.clock.ms = end
    loop.tick()
    assert alarm_advisory.running(loop.conn, PLAN) is None
    assert len(words(loop)) == 4
    assert "içilə biləcəyi demək deyil" in words(loop)[2][1]


def test_what_a_person_has_ended_does_not_come_back_for_the_same_storm(loop: Loop) -> None:
    storm(loop, RAISED)
    loop.tick()
    with village_store.transaction(loop.conn):
        closed = alarm_advisory.end(loop.conn, PLAN, "rena", loop.clock.ms, TELLS, "tested")
    assert closed is not None
    assert (closed.state, closed.proved) == ("closed", False)
    assert [person for person, _ in words(loop)[2:]] == ["ali"]
    loop.tick(HOUR_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is None
    storm(loop, CLEARED)
    loop.tick(HOUR_MS)
    storm(loop, RAISED)  # the next one
    loop.tick()
    assert alarm_advisory.running(loop.conn, PLAN) is not None


def test_the_committee_begins_one_and_a_second_wish_never_shortens_it(loop: Loop) -> None:
    now = loop.clock.ms
    with village_store.transaction(loop.conn):
        for days in (5, 2):
            alarm_advisory.start(loop.conn, PLAN, now + days * DAY_MS, "rena", "sel", now, TELLS)
    advisory = alarm_advisory.running(loop.conn, PLAN)
    assert advisory is not None
    assert (advisory.until, advisory.who) == (now + 5 * DAY_MS, "rena")
    assert [person for person, _ in words(loop)] == ["ali"]
    assert len(alarm_book.open_alarms(loop.conn)) == 1
    loop.tick(5 * DAY_MS)
    assert alarm_advisory.running(loop.conn, PLAN) is None


def test_the_committee_does_it_by_command(loop: Loop, tmp_path: Path) -> None:
    toml = tmp_path / "site.toml"
    toml.write_text(TEXT + PEOPLE, encoding="utf-8")

    def run(*words: str) -> tuple[int, str]:
        where = ["--config", str(toml), "--data", str(tmp_path)]
        done = CliRunner().invoke(command, ["advisory", *words, *where])
        return done.exit_code, done.output

    assert run("show") == (0, "none is running; that is no word on the water\n")
    assert run("end", "--why", "tested", "--who", "rena")[0] == 6
    assert run("start", "--days", "0", "--why", "sel", "--who", "rena")[0] == 2
    code, line = run("start", "--days", "2", "--why", "sel", "--who", "rena")
    assert code == 0
    assert line.endswith("rena: sel\n")
    assert json.loads(run("show", "--json")[1])["who"] == "rena"
    words = ["close", "1", "--cause", "other", "--who", "x", "--data", str(tmp_path)]
    closed_by_hand = CliRunner().invoke(command, words)
    assert closed_by_hand.exit_code == 6
    assert "advisory end" in closed_by_hand.output
    assert run("end", "--why", "laboratory, 3 samples", "--who", "rena")[0] == 0
    assert json.loads(run("show", "--json")[1]) is None
    closed = alarm_book.load(loop.conn, 1)
    assert closed is not None
    assert closed.state == "closed"
    assert alarm_book.steps(loop.conn, 1)[-1].note == "laboratory, 3 samples"


def test_the_committee_does_it_over_http_and_everybody_gets_a_mail(site: Site) -> None:  # noqa: F811
    assert site.ask("GET", "/api/advisory") == (200, None)
    for body in ({"who": "rena", "days": 1}, {"who": "rena", "days": 1e300, "note": "n"}, []):
        assert site.ask("POST", "/api/advisory/start", body)[0] == 400
    assert site.ask("POST", "/api/advisory/end", {"who": "rena", "note": "n"})[0] == 409
    assert site.ask("POST", "/api/advisory/burn", {"who": "rena", "note": "n"})[0] == 400
    assert site.ask("POST", "/api/advisory/start", {"who": "x", "days": 1}, token=None)[0] == 401
    asked = {"who": "rena", "days": 10**400, "note": "sel"}
    assert site.ask("POST", "/api/advisory/start", asked)[0] == 400
    status, made = site.ask("POST", "/api/advisory/start", asked | {"days": 1.5})
    assert (status, made["who"], made["why"]) == (200, "rena", "sel")
    assert made["until"] - made["since"] == 1.5 * DAY_MS
    until(lambda: site.mail.kept)  # to ali; rena has said it
    assert site.ask("GET", "/api/advisory")[1]["alarm"] == made["alarm"]
    assert site.ask("GET", "/api/stats")[1]["kinds"]["advisory"]["open"] == 1
    assert site.ask("POST", "/api/advisory/end", {"who": "rena", "note": "n"})[0] == 200
    assert site.ask("GET", "/api/advisory") == (200, None)
