# SPDX-License-Identifier: MIT
"""History once more, from any date: whole, beside the daily work, through outages and restarts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway.cli import gateway
from kahriz_gateway.intake import store
from kahriz_gateway.outputs import refill
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth
from kahriz_gateway.outputs.refill_cli import moment_ms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import prune
from kahriz_gateway.village.store import Value
from kahriz_water.plan import ConfigError, parse_plan

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
STEP = 300_000


class Kept:
    """A database that can be lost."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, int], float] = {}
        self.marks: list[AlarmMark] = []
        self.healths: list[NodeHealth] = []
        self.writes = 0
        self.fail_after: int | None = None

    def write(self, values: Sequence[Value]) -> None:
        self.writes += 1
        if self.fail_after is not None and self.writes > self.fail_after:
            self.fail_after = None
            raise DeliveryError("away", permanent=False)
        self.values.update({(v.point, v.quantity, v.ts): v.value for v in values})

    def write_alarms(self, marks: Sequence[AlarmMark]) -> None:
        self.marks += marks

    def write_health(self, healths: Sequence[NodeHealth]) -> None:
        self.healths += [h for h in healths if h.node != "gateway"]


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    yield made
    made.close()


def history(conn: sqlite3.Connection, rows: int) -> dict[tuple[str, str, int], float]:
    values = [
        Value(point, quantity, i * STEP, i / 10, None, 1)
        for point in ("inlet", "outlet", "pool")
        for quantity in ("stage_m", "discharge_lps")
        for i in range(1, rows + 1)
    ]
    with village_store.transaction(conn):
        village_store.put_values(conn, values)
    return {(v.point, v.quantity, v.ts): v.value for v in values}


def settle(follower: Follower, conn: sqlite3.Connection) -> int:
    steps = 0
    while True:
        try:
            if not follower.step(conn):
                return steps
        except DeliveryError:
            pass
        steps += 1
        assert steps < 1000


def test_a_lost_database_gets_everything_again_in_pieces(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    whole = history(conn, 3000)
    output = Kept()
    follower = Follower("influx", output, tmp_path)
    settle(follower, conn)
    assert output.values == whole
    output.values.clear()
    refill.request(conn, "influx", 0)
    settle(follower, conn)
    assert output.values == whole
    assert refill.pending(conn, "influx") is None
    assert not follower.step(conn)


def test_a_refill_begins_at_its_date_and_only_for_its_output(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    whole = history(conn, 100)
    both = {name: Kept() for name in ("influx", "other")}
    followers = {name: Follower(name, output, tmp_path) for name, output in both.items()}
    for name in both:
        settle(followers[name], conn)
        both[name].values.clear()
    refill.request(conn, "influx", 60 * STEP)
    for name in both:
        settle(followers[name], conn)
    assert both["influx"].values == {key: v for key, v in whole.items() if key[2] >= 60 * STEP}
    assert both["other"].values == {}


@pytest.mark.parametrize("fail_after", range(6))
def test_an_outage_and_a_restart_in_the_middle_leave_nothing_out(
    conn: sqlite3.Connection, tmp_path: Path, fail_after: int
) -> None:
    whole = history(conn, 3000)
    output = Kept()
    settle(Follower("influx", output, tmp_path), conn)
    output.values.clear()
    refill.request(conn, "influx", 0)
    output.writes, output.fail_after = 0, fail_after
    for _ in range(100):
        try:
            moved = Follower("influx", output, tmp_path).step(conn)  # a new process each time
        except DeliveryError:
            moved = True
        if not moved:
            break
    assert output.values == whole


def test_new_values_do_not_wait_for_the_end_of_a_refill(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    history(conn, 3000)
    output = Kept()
    follower = Follower("influx", output, tmp_path)
    settle(follower, conn)
    refill.request(conn, "influx", 0)
    follower.step(conn)
    new = Value("outlet", "stage_m", 5000 * STEP, 0.5, None, 1)
    with village_store.transaction(conn):
        village_store.put_values(conn, [new])
    follower.step(conn)
    assert refill.pending(conn, "influx") is not None
    assert output.values["outlet", "stage_m", new.ts] == 0.5


def test_an_output_that_was_switched_off_is_given_all_that_is_no_longer_noted(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    whole = history(conn, 300)
    settle(Follower("influx", Kept(), tmp_path), conn)
    late = Kept()
    with village_store.transaction(conn):
        assert prune(conn, ["influx"]) > 0
    settle(Follower("csv", late, tmp_path), conn)
    assert late.values == whole
    assert refill.pending(conn, "csv") is None


def test_an_estimated_time_is_not_sent_by_a_refill_either(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    conn.execute(
        "INSERT INTO deployment(node, channel, point, from_ms) VALUES('n','weir','outlet',0)"
    )
    conn.execute("INSERT INTO estimated VALUES('n','9f3a01c2',1,?)", (STEP,))
    with village_store.transaction(conn):
        guess = Value("outlet", "stage_m", STEP, 0.5, None, 1)
        village_store.put_values(conn, [guess], final=False)
    output = Kept()
    refill.request(conn, "influx", 0)
    settle(Follower("influx", output, tmp_path), conn)
    assert output.values == {}


def test_alarms_and_health_come_again_with_it(conn: sqlite3.Connection, tmp_path: Path) -> None:
    readings = store.open_store(tmp_path / "readings.db", "banovshalar-gozlu")
    for received in (5, 50):
        readings.execute(
            "INSERT INTO hello(node, received, body) VALUES('outlet', ?, '{\"battery_v\": 3.3}')",
            (received,),
        )
    conn.execute(
        "INSERT INTO alarm(id, kind, place, state, raised, stored, lps, evidence)"
        " VALUES(1,'leak','upper','closed',5,6,2.0,'{}')"
    )
    conn.execute("INSERT INTO alarm_event(alarm, at, what) VALUES(1,5,'raised'),(1,80,'cleared')")
    output = Kept()
    follower = Follower("influx", output, tmp_path)
    settle(follower, conn)
    refill.request(conn, "influx", 40)
    settle(follower, conn)
    assert [m.ts for m in output.marks] == [5, 80, 80]
    assert [h.ts for h in output.healths] == [5, 50, 50]
    readings.close()


def test_the_command_asks_and_refuses_in_words(conn: sqlite3.Connection, tmp_path: Path) -> None:
    history(conn, 10)
    options = ["--config", str(SITE / "site.toml"), "--data", str(tmp_path)]
    said = CliRunner().invoke(
        gateway, ["refill", "influx", "csv", "--since", "1970-01-01T00:25:00Z", *options]
    )
    assert said.exit_code == 0
    assert "36 values" in said.output  # 6 series, 6 of 10 moments
    assert refill.pending(conn, "influx") == refill.Refill(5 * STEP)
    assert refill.pending(conn, "csv") == refill.Refill(5 * STEP)
    for wrong in (["postgres", "--since", "2026-01-01"], ["influx", "--since", "yesterday"]):
        said = CliRunner().invoke(gateway, ["refill", *wrong, *options])
        assert said.exit_code == 3
        assert wrong[0] in said.output or wrong[2] in said.output


def test_a_day_begins_at_the_sites_own_midnight() -> None:
    assert moment_ms(PLAN, "2026-03-01") == moment_ms(PLAN, "2026-02-28T20:00:00Z")
    with pytest.raises(ConfigError):
        moment_ms(PLAN, "1.3.2026")
