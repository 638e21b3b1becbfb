# SPDX-License-Identifier: MIT
"""CSV files: what the store says, line for line, however often they are cut short or rewritten."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kahriz_gateway.outputs import DeliveryError, refill
from kahriz_gateway.outputs.csv_files import CsvFiles, from_plan
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import put_changed
from kahriz_gateway.village.store import Value
from kahriz_water.plan import ConfigError, parse_plan

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
TEXT = (SITE / "site.toml").read_text(encoding="utf-8")
BAKU = ZoneInfo("Asia/Baku")
MIDNIGHT = round(datetime(2026, 3, 1, tzinfo=BAKU).timestamp() * 1000)
STEP = 300_000


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    yield made
    made.close()


def put(conn: sqlite3.Connection, *values: Value) -> None:
    with village_store.transaction(conn):
        village_store.put_values(conn, values)


def flow(i: int, lps: float, q: int = 1) -> list[Value]:
    ts = MIDNIGHT + i * STEP
    return [
        Value("outlet", "stage_m", ts, 0.15, None, q),
        Value("outlet", "discharge_lps", ts, lps, 0.9, q),
    ]


def follower(tmp_path: Path, a: str = "day") -> Follower:
    return Follower("csv", CsvFiles(tmp_path / "csv", a, BAKU), tmp_path)


def day(tmp_path: Path, stamp: str = "2026-03-01") -> list[list[str]]:
    with (tmp_path / "csv" / "outlet" / f"outlet-{stamp}.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_a_file_has_units_offsets_uncertainty_and_flags(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    put(conn, *flow(0, 12.345), *flow(1, -9999.0, q=4))
    follower(tmp_path).step(conn)
    assert day(tmp_path) == [
        [
            "time", "discharge_lps [L/s]", "discharge_lps u [L/s]", "discharge_lps q",
            "stage_m [m]", "stage_m q",
        ],
        ["2026-03-01T00:00:00+04:00", "12.345", "0.900", "1", "0.1500", "1"],
        ["2026-03-01T00:05:00+04:00", "", "", "4", "", "4"],
    ]  # fmt: skip


def test_what_comes_in_order_is_appended_to_the_same_file(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    put(conn, *flow(0, 1.0))
    follower(tmp_path).step(conn)
    path = tmp_path / "csv" / "outlet" / "outlet-2026-03-01.csv"
    inode = path.stat().st_ino
    put(conn, *flow(1, 2.0), *flow(2, 3.0))
    follower(tmp_path).step(conn)
    assert [row[1] for row in day(tmp_path)[1:]] == ["1.000", "2.000", "3.000"]
    assert path.stat().st_ino == inode


@pytest.mark.parametrize("cut", [1, 7, 40, 100])
def test_a_line_cut_short_by_a_power_cut_is_made_whole(
    conn: sqlite3.Connection, tmp_path: Path, cut: int
) -> None:
    put(conn, *flow(0, 1.0), *flow(1, 2.0))
    follower(tmp_path).step(conn)
    path = tmp_path / "csv" / "outlet" / "outlet-2026-03-01.csv"
    path.write_bytes(path.read_bytes()[:-cut])
    put(conn, *flow(2, 3.0))
    follower(tmp_path).step(conn)
    assert [row[1] for row in day(tmp_path)[1:]] == ["1.000", "2.000", "3.000"]


def test_a_batch_that_comes_twice_stands_once(conn: sqlite3.Connection, tmp_path: Path) -> None:
    put(conn, *flow(0, 1.0), *flow(1, 2.0))
    follower(tmp_path).step(conn)
    with village_store.transaction(conn):
        village_store.set_cursor(conn, "csv", 0)  # a kill between the file and the cursor
    follower(tmp_path).step(conn)
    assert [row[1] for row in day(tmp_path)[1:]] == ["1.000", "2.000"]


def test_changed_late_and_withdrawn_values_rewrite_their_day_alone(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    put(conn, *flow(0, 1.0), *flow(2, 3.0), *flow(288, 9.0))
    follower(tmp_path).step(conn)
    other = (tmp_path / "csv" / "outlet" / "outlet-2026-03-02.csv").stat().st_mtime_ns
    put(conn, *flow(1, 2.0), *flow(0, 1.5))
    follower(tmp_path).step(conn)
    assert [row[1] for row in day(tmp_path)[1:]] == ["1.500", "2.000", "3.000"]
    with village_store.transaction(conn):
        village_store.delete_values(conn, ["outlet"], MIDNIGHT)
        put_changed(conn, [("outlet", MIDNIGHT)])
    follower(tmp_path).step(conn)
    assert [row[1] for row in day(tmp_path)[1:]] == ["2.000", "3.000"]
    assert (tmp_path / "csv" / "outlet" / "outlet-2026-03-02.csv").stat().st_mtime_ns == other


def test_a_new_quantity_gets_its_column(conn: sqlite3.Connection, tmp_path: Path) -> None:
    put(conn, *flow(0, 1.0))
    follower(tmp_path).step(conn)
    put(conn, *flow(1, 2.0), Value("outlet", "c", MIDNIGHT + STEP, 14.25, None, 1))
    follower(tmp_path).step(conn)
    assert day(tmp_path)[0][1:3] == ["c [degC]", "c q"]
    assert [row[1] for row in day(tmp_path)[1:]] == ["", "14.25"]


def test_a_month_is_one_file_from_local_midnight_on(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    put(conn, *flow(-1, 0.5), *flow(0, 1.0), *flow(31 * 288 - 1, 2.0), *flow(31 * 288, 3.0))
    follower(tmp_path, "month").step(conn)
    names = sorted(each.name for each in (tmp_path / "csv" / "outlet").iterdir())
    assert names == ["outlet-2026-02.csv", "outlet-2026-03.csv", "outlet-2026-04.csv"]
    assert [row[1] for row in day(tmp_path, "2026-03")[1:]] == ["1.000", "2.000"]


def test_lost_files_come_back_by_a_refill(conn: sqlite3.Connection, tmp_path: Path) -> None:
    put(conn, *(value for i in range(600) for value in flow(i, i / 10)))
    made = follower(tmp_path)
    while made.step(conn):
        pass
    before = day(tmp_path)
    for path in (tmp_path / "csv" / "outlet").iterdir():
        path.unlink()
    refill.request(conn, "csv", 0)
    while made.step(conn):
        pass
    assert day(tmp_path) == before
    assert len(before) == 289


def test_a_folder_that_cannot_be_written_is_a_passing_fault(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    put(conn, *flow(0, 1.0))
    (tmp_path / "csv").write_text("in the way")
    with pytest.raises(DeliveryError) as caught:
        follower(tmp_path).step(conn)
    assert not caught.value.permanent
    (tmp_path / "csv").unlink()
    assert follower(tmp_path).step(conn)
    assert len(day(tmp_path)) == 2


def test_the_plan_chooses_folder_and_length(conn: sqlite3.Connection, tmp_path: Path) -> None:
    plan = parse_plan(f'{TEXT}\n[csv]\nfolder = "tables"\na = "month"')
    put(conn, *flow(0, 1.0))
    Follower("csv", from_plan(plan, tmp_path), tmp_path).step(conn)
    assert (tmp_path / "tables" / "outlet" / "outlet-2026-03.csv").exists()
    with pytest.raises(ConfigError, match=r"csv\.a"):
        parse_plan(f'{TEXT}\n[csv]\na = "year"')


def test_times_read_back_exactly(conn: sqlite3.Connection, tmp_path: Path) -> None:
    ts = MIDNIGHT + 1_234
    put(conn, Value("outlet", "stage_m", ts, 0.1, None, 1))
    follower(tmp_path).step(conn)
    read = datetime.fromisoformat(day(tmp_path)[1][0]).astimezone(UTC)
    assert round(read.timestamp() * 1000) == ts
