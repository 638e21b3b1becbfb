# SPDX-License-Identifier: MIT
"""History redone: by a record, by hand, twice, beside raw rows that stay, and into InfluxDB."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx import from_plan
from kahriz_gateway.records.toml import iso
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.interpret import Interpreter
from kahriz_sim.services import Influx, start_influx
from kahriz_water.site import Influx as InfluxPlan
from kahriz_water.structures.v_notch import VNotch

from .waters import DT_MS, START_MS, Waters, weir

RATING = """
[[rating]]
point = "outlet"
from = {since}
author = "R. Quliyev"
gaugings = ["2026-09-20 bucket"]
structure = {{ kind = "v_notch", angle_deg = 60 }}
"""
PANEL = (
    'SELECT "discharge_lps", "discharge_lt_lps", "discharge_lps_q", "discharge_lt_lps_q"'
    ' FROM "water" WHERE "q" < 4'
)
ZERO = """
[[zero]]
node = "outlet"
channel = "weir"
from = {since}
zero_m = {zero_m}
who = "R. Quliyev"
"""


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    made = Waters(tmp_path)
    made.put(weir(0.150 + 0.001 * (k % 3)) for k in range(40))
    made.work()
    return made


def at(k: int) -> str:
    return iso(START_MS + k * DT_MS)


def test_a_dated_rating_redoes_what_it_covers_and_nothing_else(waters: Waters) -> None:
    before = {v.ts: v.value for v in waters.values("discharge_lps")}
    raw, changes = waters.raw(), waters.changes()
    assert waters.import_(RATING.format(since=at(30))) == 1
    waters.work()
    after = {v.ts: v.value for v in waters.values("discharge_lps")}
    assert after.keys() == before.keys()
    for ts, lps in after.items():
        new = ts >= START_MS + 30 * DT_MS
        assert lps == pytest.approx(before[ts] * (0.578 if new else 1.0), rel=0.003)
    told = waters.changes() - changes
    assert 10 <= told <= 12, (
        "outputs hear of ten values and whom they were stored with, not of forty"
    )
    assert waters.raw() == raw


def test_by_hand_it_redoes_from_a_day_on_and_a_second_time_changes_nothing(
    waters: Waters,
) -> None:
    raw = waters.raw()
    good = waters.values("discharge_lps")
    with village_store.transaction(waters.conn):  # as an older program may have left it
        waters.conn.execute("UPDATE value SET value=99 WHERE quantity='discharge_lps'")
        waters.conn.execute(
            "INSERT INTO value(point, quantity, ts, value, q) VALUES('outlet','flow_lps',?,5,1)",
            (good[39].ts,),
        )
    told = waters.run("recompute", "--since", at(20), "--point", "outlet")
    assert told == "20 readings interpreted again, 21 values changed\n"
    redone = waters.values("discharge_lps")
    assert [v.value for v in redone[:20]] == [99.0] * 20
    assert redone[20:] == good[20:]
    assert [v.q for v in waters.values("flow_lps")] == [9], "withdrawn, and the outputs told"
    changes = waters.changes()
    again = waters.run("recompute", "--since", at(20))
    assert again == "20 readings interpreted again, 0 values changed\n"
    assert waters.changes() == changes
    assert waters.raw() == raw


def test_a_new_zero_turns_numbers_into_bounds_and_back(waters: Waters) -> None:
    good = waters.values("discharge_lps")
    waters.import_(ZERO.format(since=at(0), zero_m=0.70))
    waters.work()
    assert waters.values("discharge_lps") == []
    bounds = waters.values("discharge_lt_lps")
    assert [v.value for v in bounds] == pytest.approx([1.249] * 40, abs=0.001)
    waters.import_(ZERO.format(since=at(0), zero_m=0.80))
    waters.work()
    assert waters.values("discharge_lt_lps") == []
    assert [v.value for v in waters.values("discharge_lps")] == [v.value for v in good]


def test_a_record_that_comes_while_history_is_being_redone_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_gateway.village.interpret.ROWS", 10)
    waters = Waters(tmp_path)
    waters.put(weir(0.150) for _ in range(40))
    waters.work()
    waters.import_(RATING.format(since=at(5)))
    waters.interpreter.look_at_records()
    with village_store.transaction(waters.conn):
        waters.interpreter.take(waters.readings)
    waters.import_(ZERO.format(since=at(35), zero_m=0.82))
    waters.work()
    sixty = VNotch(60)
    expected = [VNotch(90).free_flow_m3s(0.15)] * 5 + [sixty.free_flow_m3s(0.15)] * 30
    expected += [sixty.free_flow_m3s(0.17)] * 5
    lps = [v.value / 1000 for v in waters.values("discharge_lps")]
    assert lps == pytest.approx(expected, rel=1e-6)


def test_a_kill_in_the_middle_of_a_redone_history_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_gateway.village.interpret.ROWS", 10)
    waters = Waters(tmp_path)
    waters.put(weir(0.150) for _ in range(40))
    waters.work()
    waters.import_(RATING.format(since=at(5)))
    for _ in range(6):  # each step a new process
        waters.interpreter = Interpreter(waters.conn, waters.plan)
        waters.interpreter.look_at_records()
        with village_store.transaction(waters.conn):
            waters.interpreter.take(waters.readings)
    expected = [12.07] * 5 + [6.98] * 35
    assert [v.value for v in waters.values("discharge_lps")] == pytest.approx(expected, rel=0.002)


def test_a_refused_wish_says_what_is_expected(waters: Waters) -> None:
    assert "such as 2026" in waters.run("recompute", "--since", "yesterday", code=3)
    assert "outlet" in waters.run("recompute", "--since", at(1), "--point", "sea", code=3)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    running = start_influx(tmp_path_factory.mktemp("influx"))
    yield running
    running.stop()


@pytest.mark.needs("influxd", "nginx")
def test_a_recomputed_history_is_read_back_from_influxdb(waters: Waters, influx: Influx) -> None:
    plan = dataclasses.replace(waters.plan, influx=InfluxPlan(influx.login_url))
    output = from_plan(plan, waters.folder)
    assert output is not None
    follower = Follower("influx", output, waters.folder)

    def panel(field: str) -> list[float]:
        series = influx.query(PANEL)[0].get("series", [{"values": []}])
        flags = {"discharge_lps": 3, "discharge_lt_lps": 4}
        column = list(flags).index(field) + 1
        rows = [row for row in series[0]["values"] if row[flags[field]] < 4]
        return [row[column] for row in rows]

    while follower.step(waters.conn):
        pass
    assert len(panel("discharge_lps")) == 40
    waters.import_(ZERO.format(since=at(10), zero_m=0.70))
    waters.work()
    while follower.step(waters.conn):
        pass
    assert len(panel("discharge_lps")) == 10, "what is now a bound is no longer a number"
    assert panel("discharge_lt_lps") == pytest.approx([1.249] * 30, abs=0.001)
