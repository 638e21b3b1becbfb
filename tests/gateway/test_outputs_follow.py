# SPDX-License-Identifier: MIT
"""A follower brings everything, keeps its place in trouble, and repeats rather than loses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway.intake import store
from kahriz_gateway.outputs import OUTPUTS, Surroundings, outputs
from kahriz_gateway.outputs.follower import PROBE, Follower
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth
from kahriz_gateway.outputs.mqtt_state import MqttState
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_water.plan import parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))


class Kept:
    """An output that keeps, or fails once."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.healths: list[NodeHealth] = []
        self.marks: list[AlarmMark] = []
        self.fail = False

    def write(self, values: Sequence[Value]) -> None:
        if self.fail:
            self.fail = False
            raise DeliveryError("away", permanent=False)
        self.values += values

    def write_health(self, healths: Sequence[NodeHealth]) -> None:
        self.healths += healths

    def write_alarms(self, marks: Sequence[AlarmMark]) -> None:
        self.marks += marks


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    yield made
    made.close()


def _put(conn: sqlite3.Connection, *values: Value) -> None:
    with village_store.transaction(conn):
        village_store.put_values(conn, values)


def _value(quantity: str, ts: int, value: float) -> Value:
    return Value("outlet", quantity, ts, value, None, 1)


def test_everything_comes_once_in_order_and_an_outage_loses_nothing(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    output = Kept()
    follower = Follower("kept", output, tmp_path)
    _put(conn, *(_value("stage_m", ts, 0.1) for ts in range(1, 11)))
    output.fail = True
    with pytest.raises(DeliveryError):
        follower.step(conn)
    assert follower.step(conn)
    assert not follower.step(conn)
    assert [v.ts for v in output.values] == list(range(1, 11))
    again = Follower("kept", output, tmp_path)  # a restart
    _put(conn, _value("stage_m", 11, 0.2))
    assert again.step(conn)
    assert [v.ts for v in output.values][10:] == [11]


def test_who_takes_nothing_is_tried_with_little(conn: sqlite3.Connection, tmp_path: Path) -> None:
    output = Kept()
    follower = Follower("kept", output, tmp_path)
    hours = range(1, 121)
    _put(conn, *(_value("stage_m", hour * 7_200_000, 0.1) for hour in hours))
    output.fail = True
    with pytest.raises(DeliveryError):
        follower.watched_step(conn)
    assert follower.watched_step(conn)
    assert len(output.values) == PROBE
    assert follower.watched_step(conn)
    assert [v.ts // 7_200_000 for v in output.values] == list(hours)


def test_a_changed_value_comes_with_all_of_its_moment(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    output = Kept()
    follower = Follower("kept", output, tmp_path)
    _put(conn, _value("stage_m", 5, 0.1), _value("discharge_lps", 5, 4.4))
    follower.step(conn)
    output.values.clear()
    _put(conn, _value("stage_m", 5, 0.1), _value("discharge_lps", 5, 4.5))
    follower.step(conn)
    assert {(v.quantity, v.value) for v in output.values} == {
        ("stage_m", 0.1),
        ("discharge_lps", 4.5),
    }


def test_health_and_alarms_are_followed_too(conn: sqlite3.Connection, tmp_path: Path) -> None:
    readings = store.open_store(tmp_path / "readings.db", "banovshalar-gozlu")
    hello = json.dumps({"battery_v": 3.31, "rssi_dbm": -67, "heap": 90000})
    readings.execute("INSERT INTO hello(node, received, body) VALUES('outlet', 9, ?)", (hello,))
    conn.execute(
        "INSERT INTO alarm(id, kind, place, state, raised, stored, lps, evidence)"
        " VALUES(1,'leak','upper','closed',5,6,2.0,'{}')"
    )
    conn.execute("UPDATE alarm SET fixed=7")
    conn.execute("INSERT INTO alarm_event(alarm, at, what) VALUES(1,5,'raised'),(1,8,'cleared')")
    output = Kept()
    follower = Follower("kept", output, tmp_path)
    assert follower.step(conn)
    assert not follower.step(conn)
    assert [(m.ts, m.active) for m in output.marks] == [(5, True), (8, False)]
    assert (output.marks[1].open_s, output.marks[1].repair_s) == (0.003, 0.002)
    assert output.healths[0].figures["battery_v"] == 3.31
    assert output.healths[0].figures["missing_rows"] == 0.0


def test_backlog_and_missing_are_told_apart_and_the_gateway_has_its_own(
    conn: sqlite3.Connection, tmp_path: Path
) -> None:
    readings = store.open_store(tmp_path / "readings.db", "banovshalar-gozlu")
    readings.execute("INSERT INTO hello(node, received, body) VALUES('outlet', 1000, '{}')")
    readings.execute("INSERT INTO session VALUES('outlet','9f3a01c2','s',1,41,1000,'{}')")
    readings.execute("INSERT INTO closed VALUES('outlet','9f3a01c2',1,2,'crc',1000)")
    readings.executemany(
        "INSERT INTO reading(node, journal, n, q, body) VALUES('outlet','9f3a01c2',?,1,'{}')",
        [(n,) for n in range(5, 29)],
    )
    for a, b, since in ((3, 4, 500), (29, 40, 1000)):  # lost on the way; announced just now
        readings.execute("INSERT INTO gap VALUES('outlet','9f3a01c2',?,?,?)", (a, b, since))
    _put(conn, *(_value("stage_m", ts, 0.1) for ts in range(1, 8)))
    output = Kept()
    follower = Follower("kept", output, tmp_path)
    output.fail = True
    with pytest.raises(DeliveryError):
        follower.step(conn)  # the values do not go out, so they are the gateway's backlog
    follower._health(conn)
    told = {health.node: health.figures for health in output.healths}
    counted = {"measured_rows": 40.0, "stored_rows": 24.0, "lost_rows": 2.0}
    assert told["outlet"] == {"backlog_rows": 14.0, "missing_rows": 2.0, **counted}
    assert told["gateway"] == {
        "backlog_rows": 7.0,
        "quarantined_messages": 0.0,
        "heard_ms": 1000.0,
    }


def test_mqtt_state_is_the_newest_moment_and_never_goes_back() -> None:
    kept: dict[str, bytes] = {}
    state = MqttState("s", lambda topic, body: kept.update({topic: body}) is None)
    flow = Value("outlet", "discharge_lps", 2, 12.0, 0.9, 1)
    state.write([_value("stage_m", 1, 0.14), _value("stage_m", 2, 0.15), flow])
    topic = "kahriz/v1/s/gateway/state/outlet"
    assert json.loads(kept[topic]) == {
        "ts": 2, "q": 1, "stage_m": 0.15, "discharge_lps": 12.0, "discharge_u_lps": 0.9,
    }  # fmt: skip
    state.write([_value("stage_m", 1, 0.99)])
    assert json.loads(kept[topic])["stage_m"] == 0.15


def test_a_failed_value_is_not_told_as_state() -> None:
    kept: dict[str, bytes] = {}
    state = MqttState("s", lambda topic, body: kept.update({topic: body}) is None)
    state.write([Value("tank", "level_m", 1, -9999.0, None, 4)])
    assert json.loads(kept["kahriz/v1/s/gateway/state/tank"]) == {"ts": 1, "q": 4}


def test_the_index_builds_what_is_asked_for(tmp_path: Path) -> None:
    assert outputs(PLAN, Surroundings(tmp_path, None)) == {}
    built = outputs(PLAN, Surroundings(tmp_path, lambda topic, body: True))
    assert list(built) == ["mqtt_state"]
    assert set(OUTPUTS) == {"influx", "influx_1h", "csv", "mqtt_state"}
