# SPDX-License-Identifier: MIT
"""The alarm loop over a real store: proof, floods, shelves, the tree, and the replay of it all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.cli import alarm as command
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import Plan, parse_plan
from kahriz_water.value import Value

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
TEXT = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")
PEOPLE = """
[[person]]
id = "ali"
name = "Əli"
role = "crew"
language = "az"
channels = ["sms", "call"]
phone = "+994501234567"

[[person]]
id = "rena"
name = "Rəna"
role = "technician"
language = "ru"
channels = ["email"]
email = "rena@example.az"

[[wifi]]
id = "mast"
name = { az = "Dirək", ru = "Мачта", en = "Mast" }
nodes = ["outlet", "middle", "inlet"]
"""
PLAN = parse_plan(TEXT + PEOPLE)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
T0 = 1_790_000_100_000
TELLS: alarm_book.Tells = {"log": ("raised",)}


class HandClock:
    def __init__(self) -> None:
        self.ms = T0
        self.believed = True

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return self.believed

    def not_before(self, ms: int) -> None:
        pass


class Loop:
    """A store, a clock that the test turns, and the keeper."""

    def __init__(self, path: Path, plan: Plan = PLAN) -> None:
        self.conn = village_store.open_village(path)
        self.clock = HandClock()
        self.words: dict[str, int] = {}
        self.keeper = Keeper(path, plan, self.clock, TELLS, lambda: self.words)

    def find(self, *findings: Finding) -> None:
        with village_store.transaction(self.conn):
            village_alarms.apply(self.conn, findings, PLAN, self.clock.ms, TELLS)

    def tick(self, passed_ms: int = 1000) -> None:
        self.clock.ms += passed_ms
        self.keeper.tick(self.conn)

    def flow(self, lps: dict[str, float], until: int, hours: int = 24, every: int = 1) -> None:
        values = [
            Value(point, "discharge_lps", until - n * 300_000, number, 0.1, 1)
            for point, number in lps.items()
            for n in range(0, hours * 12, every)
        ]
        with village_store.transaction(self.conn):
            village_store.put_values(self.conn, values)

    def state(self, kind: str = "leak") -> str:
        row = self.conn.execute(
            "SELECT state FROM alarm WHERE kind=? ORDER BY id DESC", (kind,)
        ).fetchone()
        return str(row[0])

    def faithful(self) -> None:
        """Whatever happened: the steps alone make the same alarms."""
        rows = self.conn.execute("SELECT * FROM alarm")
        assert alarm_book.rebuilt(self.conn) == {r["id"]: alarm_book.alarm_of(r) for r in rows}


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def leak(what: str, at: int = T0, lps: float = 2.0) -> Finding:
    return Finding(what, "leak", "upper", at, lps, 0.4, 7.0, {"since_ms": float(at)})


def mended(loop: Loop, outlet: float, every: int = 1) -> None:
    """A leak, the detector's word that it is over, and a day of readings after it."""
    loop.flow({"outlet": 12.0, "middle": 11.5}, T0)
    loop.find(leak(RAISED))
    loop.clock.ms += 2 * DAY_MS
    loop.flow({"outlet": outlet, "middle": outlet}, loop.clock.ms, every=every)
    loop.find(leak(CLEARED, loop.clock.ms))
    loop.tick(10 * 60_000)


def test_the_water_as_before_ends_a_leak(loop: Loop) -> None:
    mended(loop, outlet=12.1)
    assert loop.state() == "closed"


def test_a_dry_kahriz_proves_nothing(loop: Loop) -> None:
    mended(loop, outlet=0.0)
    assert loop.state() == "raised"


def test_gaps_prove_nothing(loop: Loop) -> None:
    mended(loop, outlet=12.1, every=2)
    assert loop.state() == "raised"


def test_a_silent_node_proves_nothing(loop: Loop) -> None:
    loop.find(Finding(RAISED, "silent_node", "middle", T0))
    mended(loop, outlet=12.1)
    assert loop.state() == "raised"


def test_a_repair_that_is_not_proved_comes_back_to_the_same_owner(loop: Loop) -> None:
    loop.find(leak(RAISED))
    alarm = village_alarms.open_alarms(loop.conn)[0]
    with village_store.transaction(loop.conn):
        village_alarms.step(
            loop.conn, alarm, "fixed", T0, TELLS, T0, who="rena", data={"cause": "joint"}
        )
    loop.tick()
    assert loop.state() == "reported_fixed"
    loop.tick(73 * HOUR_MS)
    alarm = village_alarms.open_alarms(loop.conn)[0]
    assert (alarm.state, alarm.owner) == ("raised", "rena")
    assert [t.person for t in alarm_post.told(loop.conn, alarm)] == ["rena"]


def test_nodes_behind_a_dead_access_point_are_one_message(loop: Loop) -> None:
    loop.words = dict.fromkeys(("outlet", "middle", "inlet"), T0 - 4 * HOUR_MS)
    loop.find(Finding(RAISED, "silent_node", "outlet", T0))
    loop.tick()
    loop.find(*[Finding(RAISED, "silent_node", p, loop.clock.ms) for p in ("middle", "inlet")])
    loop.tick()
    wifi = village_alarms.open_alarm(loop.conn, "wifi", "mast")
    assert wifi is not None
    assert {a.place for a in alarm_book.children(loop.conn, wifi.id)} == {
        "outlet",
        "middle",
        "inlet",
    }
    rows = loop.conn.execute("SELECT alarm FROM message_event WHERE asks=1").fetchall()
    assert [r[0] for r in rows] == [wifi.id]


def test_what_is_shelved_asks_nobody_until_its_time_is_over(loop: Loop) -> None:
    loop.find(leak(RAISED))
    alarm = village_alarms.open_alarms(loop.conn)[0]
    with village_store.transaction(loop.conn):
        until = {"until": T0 + HOUR_MS}
        village_alarms.step(
            loop.conn, alarm, "shelved", T0, TELLS, T0, who="ali", note="works", data=until
        )
    loop.tick()
    assert alarm_post.in_state(loop.conn, "waiting") == []
    loop.tick(HOUR_MS)
    assert [p.person for p in alarm_post.in_state(loop.conn, "waiting")] == ["ali"]


def test_a_message_that_failed_goes_to_the_next_person(loop: Loop) -> None:
    loop.find(leak(RAISED))
    loop.tick()
    first = alarm_post.in_state(loop.conn, "waiting")[0]
    with village_store.transaction(loop.conn):
        alarm_post.set_state(loop.conn, first.id, "failed", loop.clock.ms)
    loop.tick()
    assert loop.state() == "escalated"
    assert [p.person for p in alarm_post.in_state(loop.conn, "waiting")] == ["rena"]


def test_the_command_takes_an_alarm_and_ends_it(loop: Loop, tmp_path: Path) -> None:
    loop.find(leak(RAISED))

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, [*words, "--data", str(tmp_path)])
        return result.exit_code, result.output

    assert run("ack", "1", "--who", "Əli")[1].startswith("1  acknowledged  leak upper")
    assert "Əli has it" in run("list")[1]
    assert run("close", "1", "--who", "Əli", "--cause", "joint")[0] == 0
    assert run("ack", "1", "--who", "Əli")[0] == 6
    assert run("show", "9")[0] == 6
    assert run("events")[0] == 0


def test_a_step_that_is_sent_again_is_taken_once(loop: Loop) -> None:
    loop.find(leak(RAISED))

    def steps(what: str, who: str, note: str = "", hours: int = 0) -> int:
        now = loop.clock.ms
        data = {"until": now + hours * HOUR_MS} if hours else {}
        alarm_hands.take(loop.conn, 1, what, who, now, note, data)
        return len(alarm_book.steps(loop.conn, 1))

    told = steps("acknowledged", "ali")
    loop.clock.ms += alarm_hands.AGAIN_MS
    assert steps("acknowledged", "ali") == told
    assert steps("acknowledged", "rena") == told + 1
    assert steps("acknowledged", "ali") == told + 2, "he takes it back from her"
    loop.clock.ms += alarm_hands.AGAIN_MS + 1
    assert steps("acknowledged", "ali") == told + 3
    told = steps("shelved", "ali", "yol", 12)
    loop.clock.ms += 60_000
    assert steps("shelved", "ali", "yol", 12) == told
    assert steps("shelved", "ali", "yol", 6) == told + 1


def test_a_store_of_an_older_version_is_made_anew_by_its_steps(tmp_path: Path) -> None:
    stores = Path(__file__).parents[1] / "data" / "stores"
    for number in (1, 2):
        path = tmp_path / f"{number}.db"
        path.write_bytes((stores / f"village-v{number}.db").read_bytes())
        conn: sqlite3.Connection = village_store.open_village(path)
        rows = conn.execute("SELECT * FROM alarm")
        assert alarm_book.rebuilt(conn) == {r["id"]: alarm_book.alarm_of(r) for r in rows}
        conn.close()
