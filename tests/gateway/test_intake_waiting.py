# SPDX-License-Identifier: MIT
"""A hello that may have waited on its way dates nothing; the next one does."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_sim.services import Broker
from kahriz_wire import topics
from kahriz_wire.messages import Hello, Row, encode_hello, encode_rows

from .conftest import (
    JOURNAL,
    NOW_MS,
    PATIENCE_S,
    SITE,
    Gateway,
    Node,
    Process,
    TestClock,
    wait_for,
)

HOUR_S = 3600.0
BOOT = 7
OWN = topics.of(SITE, topics.GATEWAY, "hello")


class Line(Door):
    """A connection as the test wants it."""

    def __init__(self) -> None:
        self.subscribed, self.epoch = threading.Event(), 0
        self.soundings: list[bytes] = []

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 0) -> None:
        if topic == OWN:
            assert qos == 1, "what is not queued overtakes what is"
            self.soundings.append(payload)

    def ack(self, arrivals: Iterable[Arrival]) -> None:
        pass

    def announce(self, online: bytes) -> None:
        pass

    def connect(self, new_since_s: float | None) -> None:
        self.epoch += 1
        self.new_since_s = new_since_s
        self.subscribed.set()


class Bench:
    """An intake whose turns and whose time are the test's."""

    def __init__(self, path: Path) -> None:
        self.clock, self.at_s = TestClock(), 1000.0
        self.path, self.line, self.stop = path, Line(), threading.Event()
        self.sessions = 0
        self.start()

    def start(self) -> None:
        self.intake = Intake(
            self.path, SITE, lambda node: True, self.clock, monotonic_s=lambda: self.at_s
        )

    def go(self, seconds: float) -> None:
        self.at_s += seconds
        self.clock.ms += round(1000 * seconds)

    def silent_turn(self) -> None:
        assert not self.intake.waiting
        self.intake.idle(self.line)

    def sounding(self) -> bytes:
        """What intake sent to itself in this turn, now at the broker."""
        self.intake._waiting.look(self.line)
        return self.line.soundings.pop()

    def comes_back(self, sounding: bytes) -> None:
        self.intake.arrived(Arrival(OWN, sounding, False, 9, 1, self.line.epoch))

    def arrive(self, up_s: int, again: bool = False) -> None:
        """A session's hello and its newest row, which knows no time."""
        self.sessions += 1
        n = self.sessions
        hello = Hello(f"{n:08x}", JOURNAL, 1, n + 1)
        hello.up_s, hello.boot = up_s, BOOT
        row = Row(n, 1, {"air_c": 20.0}, None, "unk", up_s - 5, BOOT)
        for kind, body in (("hello", encode_hello(hello)), (f"up/{JOURNAL}", encode_rows([row]))):
            topic = topics.of(SITE, "outlet", kind)
            self.intake.arrived(Arrival(topic, body, False, 1, 1, self.line.epoch, None, again))

    def stored(self) -> list[tuple[int | None, str]]:
        while self.intake.waiting:
            assert self.intake.turn(self.line, self.stop)
        with sqlite3.connect(self.path) as conn:
            return conn.execute("SELECT ts, tq FROM reading ORDER BY n").fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "readings.db")
    yield made
    made.stop.set()
    made.intake.run(made.line, made.stop)  # closes its store


def test_a_hello_that_comes_while_we_are_live_dates_its_rows(bench: Bench) -> None:
    bench.line.connect(bench.at_s)
    bench.silent_turn()
    bench.go(5)
    bench.arrive(600)
    assert bench.stored() == [(bench.clock.ms - 5000, "dated")]


def test_a_hello_out_of_a_kept_session_dates_nothing_and_the_next_one_all(bench: Bench) -> None:
    bench.line.connect(None)
    bench.arrive(600)
    assert bench.stored() == [(None, "unk")]
    bench.silent_turn()
    bench.go(HOUR_S)
    bench.silent_turn()
    bench.arrive(4200)
    now = bench.clock.ms
    assert bench.stored() == [(now - 3_605_000, "dated"), (now - 5000, "dated")]


def test_after_a_start_too_a_hello_that_waited_dates_nothing(bench: Bench) -> None:
    bench.line.connect(None)
    bench.arrive(600)
    assert bench.stored() == [(None, "unk")]
    bench.stop.set()
    bench.intake.run(bench.line, bench.stop)
    bench.stop.clear()
    bench.start()
    row = Row(2, 1, {"air_c": 20.0}, None, "unk", 500, BOOT)
    topic = topics.of(SITE, "outlet", f"up/{JOURNAL}")
    bench.intake.arrived(Arrival(topic, encode_rows([row]), False, 1, 1, 1))
    assert bench.stored() == [(None, "unk")] * 2


def test_a_connection_that_was_lost_for_a_moment_costs_no_time(bench: Bench) -> None:
    bench.line.connect(bench.at_s)
    bench.silent_turn()
    bench.line.subscribed.clear()
    bench.go(20)
    bench.line.connect(None)
    bench.arrive(600)
    assert bench.stored() == [(bench.clock.ms - 5000, "dated")], "20 s too late at most"


def test_what_lay_in_front_of_a_process_that_stood_still_is_not_dated(bench: Bench) -> None:
    """SIGSTOP: the connection stands, the messages lie in the socket until it goes on."""
    bench.line.connect(bench.at_s)
    bench.silent_turn()
    bench.go(HOUR_S)
    bench.arrive(600)
    assert bench.stored() == [(None, "unk")]
    bench.arrive(601)
    assert bench.stored() == [(None, "unk")] * 2, "as long as more is coming"
    bench.silent_turn()
    bench.arrive(602)
    assert {tq for _, tq in bench.stored()} == {"dated"}


def test_what_waited_with_us_while_the_disk_refused_is_not_dated(bench: Bench) -> None:
    bench.line.connect(bench.at_s)
    bench.silent_turn()
    bench.arrive(600)
    bench.go(HOUR_S)  # until it can be stored
    assert bench.stored() == [(None, "unk")]


def test_on_a_site_that_never_pauses_what_comes_behind_a_sounding_is_dated(bench: Bench) -> None:
    bench.line.connect(None)
    sounding = bench.sounding()
    bench.arrive(600)
    bench.go(1)
    bench.comes_back(sounding)
    assert bench.stored() == [(None, "unk")], "it stood in front of the sounding"
    bench.arrive(601)
    assert {tq for _, tq in bench.stored()} == {"dated"}
    bench.go(HOUR_S / 2)
    bench.arrive(2400)
    assert bench.stored()[2] == (None, "unk"), "we ourselves stood still"


def test_a_sounding_that_was_long_under_way_vouches_for_a_minute_alone(bench: Bench) -> None:
    bench.line.connect(None)
    sounding = bench.sounding()
    bench.go(50)
    bench.comes_back(sounding)
    bench.arrive(600)
    assert bench.stored() == [(bench.clock.ms - 5000, "dated")], "50 s too late at most"
    bench.go(20)
    sounding = bench.sounding()
    bench.arrive(620)
    assert bench.stored()[1] == (None, "unk"), "we have not caught up"
    bench.go(70)
    bench.comes_back(sounding)
    bench.arrive(690)
    assert bench.stored()[2] == (None, "unk"), "the queue was longer than a minute"


def test_a_sounding_of_another_connection_or_start_says_nothing(bench: Bench) -> None:
    bench.line.connect(None)
    of_this = bench.sounding()
    bench.line.connect(None)
    for foreign in (of_this, b"", b"[]", b"{}", b'{"run": 1, "connection": 2, "sent_s": 1e9}'):
        bench.comes_back(foreign)
    bench.arrive(600)
    assert bench.stored() == [(None, "unk")]
    of_that = bench.sounding()
    bench.stop.set()
    bench.intake.run(bench.line, bench.stop)
    bench.stop.clear()
    bench.start()
    bench.comes_back(of_that)
    bench.arrive(601)
    assert {tq for _, tq in bench.stored()} == {"unk"}
    with sqlite3.connect(bench.path) as conn:
        assert conn.execute("SELECT reason FROM quarantine").fetchall() == []


def test_a_hello_that_the_broker_hands_out_again_dates_nothing(bench: Bench) -> None:
    bench.line.connect(bench.at_s)
    bench.silent_turn()
    bench.arrive(600, again=True)
    assert bench.stored() == [(None, "unk")]


def test_a_hello_out_of_quarantine_dates_nothing(gateway: Gateway) -> None:
    from kahriz_gateway.intake import quarantine
    from kahriz_gateway.intake.quarantine_replay import replay

    gateway.up([Row(1, 1, {"air_c": 20.0}, None, "unk", 400, BOOT)])
    said = Hello("5be1c07a", JOURNAL, 1, 2)
    said.up_s, said.boot = 600, BOOT
    hello = encode_hello(said)
    gateway.conn.execute("BEGIN IMMEDIATE")
    quarantine.put(gateway.conn, NOW_MS, topics.of(SITE, "outlet", "hello"), hello, "not known")
    gateway.conn.execute("COMMIT")
    stored, left = replay(gateway.conn, gateway.accept, ())
    assert (len(stored), left) == (1, [])
    assert gateway.query("SELECT ts, tq FROM reading") == [(None, "unk")]


@pytest.mark.needs("mosquitto")
def test_with_a_real_broker_too_a_hello_dates_only_when_it_came_at_once(
    mosquitto: Broker,
    make_intake: Callable[..., Process],
    make_node: Callable[..., Node],
) -> None:
    intake = make_intake(mosquitto.port)
    node = make_node(mosquitto.port)
    node.hello(1, 2, up_s=100, boot=BOOT)
    node.up([Row(1, 1, {"air_c": 20.0}, None, "unk", 90, BOOT)])
    node.receipt(upto=1)
    ask = "SELECT ts, tq FROM reading WHERE n=?"
    assert intake.query(ask, 1) == [(NOW_MS - 10_000, "dated")], "the broker had kept nothing"
    intake.kill9()
    node.hello(1, 3, up_s=200, boot=BOOT)
    node.up([Row(2, 1, {"air_c": 20.0}, None, "unk", 190, BOOT)])
    intake.start()
    node.receipt(upto=2)
    assert intake.query(ask, 2) == [(None, "unk")]

    def dated() -> bool:
        time.sleep(1.0)  # who speaks without a pause never lets intake see that nothing waits
        node.hello(1, 3, up_s=300, boot=BOOT)
        node.receipt(upto=2)
        return bool(intake.query(ask, 2) == [(NOW_MS - 110_000, "dated")])

    wait_for(dated, "a later hello dates it")


@pytest.mark.needs("mosquitto")
def test_with_a_real_broker_and_a_site_that_never_pauses_a_later_hello_dates(
    mosquitto: Broker,
    make_intake: Callable[..., Process],
    make_node: Callable[..., Node],
) -> None:
    intake = make_intake(mosquitto.port)
    node, other = make_node(mosquitto.port), make_node(mosquitto.port, "middle", "5be1c07a")
    intake.kill9()
    node.hello(1, 2, up_s=200, boot=BOOT)
    node.up([Row(1, 1, {"air_c": 20.0}, None, "unk", 190, BOOT)])
    done = threading.Event()

    def speak() -> None:
        while not done.wait(0.1):
            other.client.publish(other.topic("ack"), b"{}", qos=1)

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        intake.start()
        node.receipt(upto=1)
        assert intake.query("SELECT ts, tq FROM reading") == [(None, "unk")]

        def dated() -> bool:
            node.hello(1, 2, up_s=300, boot=BOOT)
            node.receipt(upto=1)
            return bool(intake.query("SELECT ts, tq FROM reading") == [(NOW_MS - 110_000, "dated")])

        wait_for(dated, "a hello behind the sounding dates it")
    finally:
        done.set()
        speaker.join()


KEPT = [b"%d" % n for n in range(1500)]  # mosquitto has 1,000 on the way, others in its queue


def connect(broker: Broker) -> tuple[Door, queue.Queue[Arrival]]:
    """Intake's session: what it was handed, without a PUBACK."""
    came: queue.Queue[Arrival] = queue.Queue()
    everybody = [f"{topics.ROOT}/{SITE}/+/{kind}" for kind in ("hello", "ack")]
    door = Door("intake", broker.host, broker.port, everybody, came.put)
    door.start()
    assert door.subscribed.wait(PATIENCE_S)
    return door, came


def keep(broker: Broker, node: Node) -> None:
    """A session that is away while a node says hello."""
    connect(broker)[0].stop()
    for each in KEPT:
        node.client.publish(node.topic("hello"), each, qos=1)
    node.raw(node.topic("ack"), b"the last")


@pytest.mark.needs("mosquitto")
def test_a_broker_hands_out_a_sounding_behind_all_that_it_kept(
    mosquitto: Broker, make_node: Callable[..., Node]
) -> None:
    """What `waiting.py` builds on."""
    keep(mosquitto, make_node(mosquitto.port))
    door, came = connect(mosquitto)
    door.publish(OWN, b"sounding", qos=1)
    hellos: list[Arrival] = []
    while not hellos or hellos[-1].payload != b"sounding":
        arrival = came.get(timeout=PATIENCE_S)
        door.ack([arrival])
        if arrival.topic.endswith("/hello"):
            hellos.append(arrival)
    door.stop()
    assert door.new_since_s is None, "the broker had kept our session"
    assert [each.payload for each in hellos] == [*KEPT, b"sounding"]
    assert not any(each.again for each in hellos)


@pytest.mark.needs("mosquitto")
def test_a_broker_marks_what_it_repeats(mosquitto: Broker, make_node: Callable[..., Node]) -> None:
    """nats-server does too, half a minute later and behind what is new."""
    keep(mosquitto, make_node(mosquitto.port))
    door, came = connect(mosquitto)
    first = came.get(timeout=PATIENCE_S)
    door.stop()
    door, came = connect(mosquitto)
    repeated = came.get(timeout=PATIENCE_S)
    door.stop()
    assert (first.payload, repeated.payload) == (KEPT[0], KEPT[0])
    assert (first.again, repeated.again) == (False, True)
