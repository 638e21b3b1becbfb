# SPDX-License-Identifier: MIT
"""Hours: made of the stored values, mended by late and changed ones, the same when done twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx_hours import from_plan, hour_lines
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import Span
from kahriz_gateway.village.rollup import HOUR_MS, Hour, hour, hours, hours_of
from kahriz_gateway.village.store import Value
from kahriz_sim.services import Influx, start_influx
from kahriz_water.plan import Plan, parse_plan

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
TEXT = (SITE / "site.toml").read_text(encoding="utf-8")
PLAN = parse_plan(TEXT)
HOURS = (
    'SELECT "discharge_lps", "discharge_lps_min", "discharge_lps_max", "discharge_lps_n",'
    ' "discharge_lps_coverage" FROM "water" WHERE "q" < 4 AND "discharge_lps_q" < 4'
)
H = 1_764_000_000_000 // HOUR_MS * HOUR_MS


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    yield made
    made.close()


def put(conn: sqlite3.Connection, *values: Value) -> None:
    with village_store.transaction(conn):
        village_store.put_values(conn, values)


def flow(minute: int, lps: float, q: int = 1, u: float | None = 0.5) -> Value:
    return Value("outlet", "discharge_lps", H + minute * 60_000, lps, u, q)


def test_an_hour_is_mean_lowest_highest_count_and_coverage(conn: sqlite3.Connection) -> None:
    put(conn, flow(0, 10.0), flow(5, 11.0), flow(55, 15.0), flow(60, 99.0), flow(10, 500.0, q=4))
    made = hour(conn, PLAN, "outlet", "discharge_lps", H)
    assert made == Hour("outlet", "discharge_lps", H, 12.0, 10.0, 15.0, 0.5, 3, 3 / 12, 1)


def test_an_hour_without_a_good_value_says_so_and_gives_no_number(
    conn: sqlite3.Connection,
) -> None:
    put(conn, flow(0, 10.0, q=4))
    made = hour(conn, PLAN, "outlet", "discharge_lps", H)
    assert (made.mean, made.n, made.coverage, made.q) == (None, 0, 0.0, 9)
    (text,) = hour_lines("s", {}, [made])
    assert "discharge_lps_q=9.0" in text
    assert "discharge_lps=" not in text


def test_coverage_is_of_the_interval_of_the_plan_and_never_more_than_all(
    conn: sqlite3.Connection,
) -> None:
    put(conn, *(flow(m, 1.0) for m in range(60)))  # a node set to every minute
    assert hour(conn, PLAN, "outlet", "discharge_lps", H).coverage == 1.0


def test_a_value_whose_time_is_an_estimate_waits_for_its_true_hour(
    conn: sqlite3.Connection,
) -> None:
    put(conn, flow(0, 10.0), flow(5, 50.0))
    conn.execute(
        "INSERT INTO deployment(node, channel, point, from_ms) VALUES('outlet','weir','outlet',0)"
    )
    conn.execute("INSERT INTO estimated VALUES('outlet','9f3a01c2',1,?)", (H + 300_000,))
    assert hour(conn, PLAN, "outlet", "discharge_lps", H).n == 1
    conn.execute("UPDATE estimated SET node='pool'")  # its neighbour's guess is not ours
    assert hour(conn, PLAN, "outlet", "discharge_lps", H).n == 2


def test_a_bound_has_an_hour_of_its_own_and_is_not_averaged_into_the_flow(
    conn: sqlite3.Connection,
) -> None:
    low = Value("outlet", "discharge_lt_lps", H + 300_000, 1.2, None, 3)
    put(conn, flow(0, 2.0), low)
    found = {h.quantity: (h.mean, h.n) for h in hours(conn, PLAN, [("outlet", H)])}
    assert found == {"discharge_lps": (2.0, 1), "discharge_lt_lps": (1.2, 1)}


def test_each_touched_hour_is_worked_out_once() -> None:
    touched = [Span("a", H + 1, H + 5), Span("b", H, H), Span("a", H + 5, H + HOUR_MS)]
    assert hours_of(touched) == [("a", H), ("b", H), ("a", H + HOUR_MS)]


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    running = start_influx(tmp_path_factory.mktemp("influx"))
    yield running
    running.stop()


def read(influx: Influx) -> dict[int, tuple[float, ...]]:
    """What a panel on the hours sees."""
    series = influx.query(HOURS, bucket="kahriz_1h")[0].get("series", [{"values": []}])
    return {row[0]: tuple(row[1:]) for row in series[0]["values"]}


@pytest.mark.needs("influxd", "nginx")
def test_late_changed_and_withdrawn_values_mend_the_hour_in_the_database(
    influx: Influx, conn: sqlite3.Connection, tmp_path: Path
) -> None:
    plan: Plan = parse_plan(f'{TEXT}\n[influx]\nurl = "{influx.login_url}"')
    output = from_plan(plan, tmp_path)
    follower = Follower("influx_1h", output, tmp_path)
    put(conn, *(flow(m, 12.0) for m in range(0, 30, 5)))
    follower.step(conn)
    assert read(influx) == {H: (12.0, 12.0, 12.0, 6.0, 0.5)}
    put(conn, *(flow(m, 18.0) for m in range(30, 60, 5)))  # a backlog, hours later
    follower.step(conn)
    assert read(influx) == {H: (15.0, 12.0, 18.0, 12.0, 1.0)}
    put(conn, *(flow(m, 24.0) for m in range(0, 30, 5)))  # a new rating
    follower.step(conn)
    assert read(influx) == {H: (21.0, 18.0, 24.0, 12.0, 1.0)}
    put(conn, *(flow(m, 24.0, q=4) for m in range(0, 60, 5)))  # the sensor was dirty all the time
    follower.step(conn)
    assert read(influx) == {}
    output.close()
