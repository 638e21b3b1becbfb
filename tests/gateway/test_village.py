# SPDX-License-Identifier: MIT
"""The village from readings.db to alarms, with simulated water and without a broker."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kahriz_alarms.alarm import Event
from kahriz_gateway.intake import store
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import changed_since, newest
from kahriz_gateway.village.moments import values_in
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.village import Village
from kahriz_sim.series import START_MS, Row, rows
from kahriz_water.plan import Plan, parse_plan

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
HOUR_MS = 3_600_000
LIFE_MS = START_MS + 7 * 24 * HOUR_MS


class HandClock:
    """A clock that the test turns."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        pass


class Ear:
    """A channel that keeps what it was told."""

    name = "ear"
    tells: tuple[str, ...] = ("raised", "cleared", "silent", "heard")

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def send(self, event: Event, plan: Plan) -> None:
        self.heard.append(event)


class Chain:
    """readings.db as intake leaves it, and the village over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (SITE / "site.toml").read_text(encoding="utf-8")
        self.plan = parse_plan(text)
        self.clock = HandClock(START_MS)
        self.readings = store.open_store(folder / "readings.db", self.plan.id)
        self.conn = village_store.open_village(folder / "village.db")
        records.import_records(self.conn, SITE / "records.toml", self.plan)
        self.ear = Ear()
        self.sender = Sender(folder / "village.db", self.plan, self.clock, [self.ear])
        self.village = self._village()

    def _village(self) -> Village:
        return Village(self.conn, self.plan, self.folder, self.clock, self.sender)

    def restart(self) -> None:
        """What a kill -9 leaves: the files."""
        self.village.close()
        self.conn.close()
        self.conn = village_store.open_village(self.folder / "village.db")
        self.village = self._village()

    def put(self, batch: Iterable[Row], received: int) -> None:
        """Store rows as intake does, and each node's hello."""
        self.readings.execute("BEGIN")
        for row in batch:
            values = dict(row.values)
            ts, n, q = values.pop("ts"), values.pop("n"), values.pop("q")
            self.readings.execute(
                "INSERT INTO reading(node, journal, n, ts, q, received, body)"
                " VALUES(?,'9f3a01c2',?,?,?,?,?)",
                (row.node, n, ts, q, received, json.dumps(values)),
            )
            self.readings.execute(
                "INSERT OR REPLACE INTO session VALUES(?,'9f3a01c2','5be1c07a',1,?,?,'{}')",
                (row.node, int(n) + 1, received),
            )
        self.readings.execute("COMMIT")

    def work(self) -> None:
        while self.village.step():
            pass
        self.sender.send_due(self.conn)

    def alarms(self) -> list[tuple[str, str, str]]:
        found = self.conn.execute("SELECT kind, place, state FROM alarm ORDER BY id")
        return [tuple(r) for r in found]


def hourly(source: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Rows as nodes upload them: an hour at a time, when the hour is over."""
    batch: list[Row] = []
    end = START_MS + HOUR_MS
    for row in source:
        if int(row.values["ts"]) >= end:
            yield end, batch
            batch, end = [], end + HOUR_MS
        batch.append(row)
    yield end, batch


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def live(chain: Chain, source: Iterable[Row], restart_every: int = 0) -> None:
    for number, (end, batch) in enumerate(hourly(source)):
        chain.put(batch, end)
        chain.clock.ms = end
        if restart_every and number % restart_every == 0:
            chain.restart()
        chain.work()


def calm_with_leak(lps: float, hours: float) -> Iterator[Row]:
    return rows("banovshalar-gozlu", "calm", 3, 7 + hours / 24, leaks=[("upper", lps, 1.0)])


def test_a_leak_becomes_one_alarm_with_place_and_litres(chain: Chain) -> None:
    live(chain, calm_with_leak(2.0, 6.0))
    assert chain.alarms() == [("leak", "upper", "notified")]
    alarm = chain.conn.execute("SELECT * FROM alarm").fetchone()
    assert alarm["lps"] == pytest.approx(2.0, rel=0.3)
    assert alarm["m3"] > 5
    assert LIFE_MS + HOUR_MS < alarm["raised"] <= LIFE_MS + 3.5 * HOUR_MS
    assert alarm["stored"] - alarm["raised"] <= HOUR_MS
    assert [(e.what, e.alarm.kind) for e in chain.ear.heard] == [("raised", "leak")]


def test_kills_and_restarts_change_nothing(tmp_path: Path) -> None:
    results = []
    for number, restart_every in enumerate((0, 3)):
        folder = tmp_path / str(number)
        folder.mkdir()
        chain = Chain(folder)
        live(chain, calm_with_leak(3.0, 5.0), restart_every)
        found = chain.conn.execute("SELECT kind, place, raised, lps, lps_u, m3 FROM alarm")
        values = chain.conn.execute("SELECT * FROM value").fetchall()
        results.append(([tuple(r) for r in found], [tuple(v) for v in values]))
    assert results[0] == results[1]
    assert len(results[0][0]) == 1


def test_the_same_rows_again_change_nothing(chain: Chain) -> None:
    live(chain, rows("banovshalar-gozlu", "calm", 1, 0.5))
    before = newest(chain.conn)
    with village_store.transaction(chain.conn):
        village_store.set_cursor(chain.conn, "village", 0)
    chain.work()
    assert newest(chain.conn) == before


def test_a_silent_node_is_an_alarm_and_a_leak_stays_last_known(chain: Chain) -> None:
    live(chain, calm_with_leak(3.0, 5.0))
    assert chain.alarms() == [("leak", "upper", "notified")]
    source = rows("banovshalar-gozlu", "calm", 3, 7.5, leaks=[("upper", 3.0, 1.0)])
    later = [
        (end, [r for r in batch if r.node != "middle"])
        for end, batch in hourly(source)
        if end > LIFE_MS + 5 * HOUR_MS
    ]
    for end, batch in later:
        chain.put(batch, end)
        chain.clock.ms = end
        chain.work()
    assert ("silent_node", "middle", "notified") in chain.alarms()
    leak = chain.conn.execute("SELECT * FROM alarm WHERE kind='leak'").fetchone()
    assert leak["closed"] is None
    assert leak["silent_since"] == LIFE_MS + 5 * HOUR_MS
    assert [e.what for e in chain.ear.heard].count("silent") == 1


def test_nobody_is_blamed_for_silence_while_the_gateway_itself_was_away(chain: Chain) -> None:
    live(chain, rows("banovshalar-gozlu", "calm", 1, 0.25))
    chain.clock.ms += 48 * HOUR_MS
    chain.restart()
    chain.work()
    assert chain.alarms() == []
    chain.clock.ms += 4 * HOUR_MS
    chain.work()
    assert chain.alarms() == [("gateway", "banovshalar-gozlu", "notified")]


def test_a_new_zero_recomputes_history_and_withdraws_what_no_longer_holds(chain: Chain) -> None:
    live(chain, rows("banovshalar-gozlu", "calm", 1, 0.25))
    flow = village_store.last_value(chain.conn, "outlet", "discharge_lps")
    assert flow is not None
    other = sqlite3.connect(chain.folder / "village.db")
    other.execute("UPDATE deployment SET zero_m=0.700 WHERE node='outlet' AND channel='weir'")
    other.commit()
    other.close()
    chain.work()
    assert village_store.last_value(chain.conn, "outlet", "discharge_lps") is None
    bound = village_store.last_value(chain.conn, "outlet", "discharge_lt_lps")
    assert bound is not None
    assert bound.ts == flow.ts


def test_an_estimated_time_is_taken_back_when_the_true_one_comes(chain: Chain) -> None:
    body = json.dumps({"loop_current_ma": 12.0})
    chain.readings.execute(
        "INSERT INTO reading(node, journal, n, ts, tq, q, received, body)"
        " VALUES('pool','9f3a01c2',1,?,'est',1,?,?)",
        (START_MS, START_MS, body),
    )
    chain.work()
    assert village_store.last_value(chain.conn, "pool", "level_m") is not None
    assert changed_since(chain.conn, 0, 100) == (0, [])
    chain.readings.execute("UPDATE reading SET rev=rev+1, ts=ts+60000, tq=NULL")
    chain.work()
    levels = village_store.values_between(chain.conn, "pool", "level_m", 0, 2 * START_MS)
    assert [v.ts for v in levels] == [START_MS + 60_000]
    assert {b for _, _, b in changed_since(chain.conn, 0, 100)[1]} == {START_MS + 60_000}


def test_an_estimated_time_that_will_not_get_better_is_told_after_two_days(chain: Chain) -> None:
    body = json.dumps({"loop_current_ma": 12.0})
    insert = (
        "INSERT INTO reading(node, journal, n, ts, tq, q, received, body)"
        " VALUES('pool','9f3a01c2',?,?,'est',1,?,?)"
    )
    chain.readings.execute(insert, (1, START_MS, START_MS, body))
    chain.work()
    chain.clock.ms += 47 * HOUR_MS
    chain.work()
    assert changed_since(chain.conn, 0, 100) == (0, [])
    chain.clock.ms += 2 * HOUR_MS
    chain.work()
    rev, spans = changed_since(chain.conn, 0, 100)
    assert {v.ts for v in values_in(chain.conn, spans)} == {START_MS}
    chain.readings.execute(insert, (2, START_MS + 300_000, chain.clock.ms, body))  # older still
    chain.work()
    rev, spans = changed_since(chain.conn, rev, 100)
    assert START_MS + 300_000 in {v.ts for v in values_in(chain.conn, spans)}
    chain.readings.execute("UPDATE reading SET rev=rev+2, ts=ts+60000, tq=NULL WHERE n=1")
    chain.work()
    told = values_in(chain.conn, changed_since(chain.conn, rev, 100)[1])
    levels = {(v.ts, v.q) for v in told if v.quantity == "level_m"}
    assert {(START_MS, 9), (START_MS + 60_000, 1)} <= levels


def test_newest_rows_before_their_backlog_make_no_sensor_drop_out(chain: Chain) -> None:
    held: list[Row] = []
    for number, (end, batch) in enumerate(hourly(rows("banovshalar-gozlu", "calm", 1, 1.0))):
        chain.clock.ms = end
        if number in (19, 20):  # two uploads of one node fail
            held += [r for r in batch if r.node == "inlet"]
            batch = [r for r in batch if r.node != "inlet"]
        elif number == 21:  # then its newest rows come first, what they left out right behind
            gap = ("inlet", "9f3a01c2", held[0].values["n"], held[-1].values["n"], end)
            chain.readings.execute("INSERT INTO gap VALUES(?,?,?,?,?)", gap)
            chain.put(batch, end)
            chain.work()
            chain.readings.execute("DELETE FROM gap")
            batch = held
        chain.put(batch, end)
        chain.work()
    assert "sensor_fault:dropout" not in {kind for kind, _, _ in chain.alarms()}


def away_and_back(chain: Chain, with_sensor: bool, restart: int = 0) -> list[str]:
    """One node is silent for six hours and comes back, its sensor perhaps not; what was told."""
    for number, (end, batch) in enumerate(hourly(rows("banovshalar-gozlu", "calm", 1, 1.5))):
        chain.clock.ms = end
        if 19 <= number < 25:
            batch = [r for r in batch if r.node != "inlet"]
        elif number >= 25 and not with_sensor:
            for row in batch:
                if row.node == "inlet":
                    row.values.update({"weir_distance_m": None, "weir_fault": "timeout"})
        chain.put(batch, end)
        if number == restart:
            chain.restart()
        chain.work()
    found = chain.conn.execute("SELECT kind FROM alarm WHERE place='inlet' ORDER BY id")
    return [kind for (kind,) in found]


@pytest.mark.parametrize("restart", [0, 24, 26])
def test_a_dropout_that_outlives_the_silence_of_its_node_is_told(
    chain: Chain, restart: int
) -> None:
    assert away_and_back(chain, False, restart) == ["silent_node", "sensor_fault:dropout"]


def test_a_sensor_that_comes_back_with_its_node_had_no_dropout(chain: Chain) -> None:
    assert away_and_back(chain, True) == ["silent_node"]
