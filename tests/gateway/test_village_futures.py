# SPDX-License-Identifier: MIT
"""Rows of 2036 that came while nobody knew the time: taken back everywhere once it is known."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kahriz_gateway.intake.doubts import Doubts
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.store import read_store
from kahriz_gateway.mqtt import Arrival
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.mqtt_state import MqttState
from kahriz_gateway.village import store as village_store
from kahriz_sim.series import Row as Measured
from kahriz_sim.series import rows
from kahriz_water.value import Value
from kahriz_wire import topics
from kahriz_wire.messages import Hello, Row, encode_hello, encode_rows

from .conftest import JOURNAL, NOW_MS, SITE, TestClock
from .test_intake_waiting import Line
from .test_village import HOUR_MS, Chain, HandClock, hourly

YEARS_MS = 10 * 365 * 86_400_000
STOP = threading.Event()


class Unsure(HandClock):
    """Believed when the test says so."""

    sure = True

    def trusted(self) -> bool:
        return self.sure


class Intakes:
    """An intake whose clock is the test's, and which may be started again."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.line = path, TestClock(), Line()
        self.intake = Intake(path, SITE, lambda node: True, self.clock)

    def again(self) -> None:
        stop = threading.Event()
        stop.set()
        self.intake.run(self.line, stop)
        self.intake = Intake(self.path, SITE, lambda node: True, self.clock)

    def take(self, kind: str, payload: bytes) -> None:
        topic = topics.of(SITE, "outlet", kind)
        self.intake.arrived(Arrival(topic, payload, False, 1, 1, 0))
        while self.intake.waiting:
            assert self.intake.turn(self.line, STOP)

    def up(self, *times: int, tq: str | None = None, first: int = 1) -> None:
        some = [Row(first + i, 1, {"air_c": 20.0}, ts, tq) for i, ts in enumerate(times)]
        self.take(f"up/{JOURNAL}", encode_rows(some))

    def hello(self) -> None:
        self.take("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 9)))

    def stored(self, sql: str = "SELECT n, ts, tq FROM reading ORDER BY n") -> list[object]:
        with contextlib.closing(read_store(self.path)) as conn:
            return [tuple(row) for row in conn.execute(sql)]


def test_a_time_in_the_future_is_taken_back_when_ours_is_known(tmp_path: Path) -> None:
    made = Intakes(tmp_path / "readings.db")
    made.up(NOW_MS - 9000)
    made.clock.is_trusted = False
    far = NOW_MS + YEARS_MS
    made.up(NOW_MS - 5000, far, first=2)
    made.up(far + 300_000, tq="est", first=4)
    made.hello()
    assert [row[1] for row in made.stored()][2:] == [far, far + 300_000]  # type: ignore[index]
    made.again()
    made.clock.is_trusted = True
    made.hello()
    assert made.stored() == [
        (1, NOW_MS - 9000, None), (2, NOW_MS - 5000, None), (3, None, "unk"), (4, None, "unk"),
    ]  # fmt: skip
    said = "SELECT n, t.ts, t.tq FROM taken_back t JOIN reading USING(rev) ORDER BY n"
    assert made.stored(said) == [(3, far, None), (4, far + 300_000, "est")], "nothing is lost"
    assert made.stored("SELECT kind, at FROM notice") == [("clock_went_back", NOW_MS)]
    made.hello()
    assert made.stored("SELECT count(*) FROM notice") == [(1,)]


def test_a_network_that_tells_a_wrong_past_takes_no_time_of_good_rows(tmp_path: Path) -> None:
    made = Intakes(tmp_path / "readings.db")
    made.up(NOW_MS - 9000)
    made.clock.ms -= YEARS_MS // 20
    made.hello()
    assert made.stored() == [(1, NOW_MS - 9000, None)]


class Forgetless:
    """An output that merges what it is told, as InfluxDB does."""

    def __init__(self) -> None:
        self.flags: dict[tuple[str, int, str], int] = {}

    def write(self, values: Sequence[Value]) -> None:
        self.flags |= {(v.point, v.ts, v.quantity): v.q for v in values}


class Retained:
    """The state topics."""

    def __init__(self) -> None:
        self.ts: dict[str, int] = {}

    def publish(self, topic: str, body: bytes) -> bool:
        self.ts[topic.rsplit("/", 1)[1]] = json.loads(body)["ts"]
        return True


def moved(row: Measured, ms: int, drop_m: float = 0.0) -> Measured:
    values = dict(row.values)
    values["ts"] = int(values["ts"]) + ms
    values["weir_distance_m"] = float(values["weir_distance_m"]) + drop_m
    return replace(row, values=values)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    made = Chain(tmp_path)
    made.clock = Unsure(made.clock.ms)
    made.restart()
    return made


def test_village_alarms_and_outputs_forget_what_was_taken_back(chain: Chain) -> None:
    clock = chain.clock
    assert isinstance(clock, Unsure)
    forgetless, retained = Forgetless(), Retained()
    followers = [
        Follower("influx", forgetless, chain.folder),  # type: ignore[arg-type]
        Follower("state", MqttState(chain.plan.id, retained.publish), chain.folder),
    ]

    def tell() -> None:
        for follower in followers:
            while follower.step(chain.conn):
                pass

    hours = list(hourly(rows("banovshalar-gozlu", "calm", 1, 0.5, nodes=("outlet",))))
    for end, batch in hours[:6]:
        clock.ms = end
        chain.put(batch, end)
        chain.work()
    doubts = Doubts(chain.readings)
    clock.sure = False
    chain.readings.execute("BEGIN")
    doubts.look(None)
    chain.readings.execute("COMMIT")
    end, batch = hours[6]
    chain.put([moved(row, YEARS_MS) for row in batch], 0)
    chain.readings.execute("UPDATE reading SET received=NULL WHERE received=0")
    chain.work()
    tell()
    future = "SELECT count(*) FROM value WHERE ts > ?"
    assert chain.conn.execute(future, (end,)).fetchone()[0] > 12
    assert retained.ts["outlet"] > end

    clock.ms, clock.sure = hours[7][0], True
    chain.readings.execute("BEGIN")
    doubts.look(clock.ms)
    chain.readings.execute("COMMIT")
    chain.work()
    tell()
    assert chain.conn.execute(future, (clock.ms,)).fetchone()[0] == 0
    there = {q for (_, ts, _), q in forgetless.flags.items() if ts > clock.ms}
    assert there == {9}, "each number of 2036 is withdrawn from what cannot forget"
    assert retained.ts["outlet"] == hours[5][1][-1].values["ts"]
    assert village_store.get_state(chain.conn, "last_ts")["outlet"] < clock.ms

    chain.restart()
    for end, batch in hours[7:10]:
        clock.ms = end
        chain.put(batch, end)
        chain.work()
    for end, batch in hours[10:]:
        clock.ms = end + HOUR_MS // 60
        chain.put([moved(row, 0, 0.06) for row in batch], clock.ms)
        chain.work()
    kinds = {kind for kind, place, _ in chain.alarms()}
    assert kinds & {"source_drop", "collapse", "blockage"}, "a loss is told again"
    engine = village_store.get_state(chain.conn, "engine:outlet")
    assert hours[5][0] < engine["done"] <= clock.ms, "the detectors go on from now, not from 2036"
    tell()
    assert retained.ts["outlet"] == hours[-1][1][-1].values["ts"]
