# SPDX-License-Identifier: MIT
"""Intake in trouble: a full disk, a second intake, its own faults, more than it can hold."""

import contextlib
import json
import queue
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from kahriz_gateway.intake import intake as intake_module
from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.store import open_store
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_sim.services import Broker
from kahriz_wire import topics
from kahriz_wire.messages import Hello, decode_receipt, encode_hello, encode_rows

from .conftest import PATIENCE_S, SITE, SITE_TOML, Node, Process, TestClock, rows, wait_for

JOURNAL = "9f3a01c2"
WAL = "readings.db-wal"
LITTLE = 8192  # room for words in a log, for no store: neither for more of it nor for it anew
MakeIntake = Callable[..., Process]
MakeNode = Callable[..., Node]


class Ear(Door):
    """A door to nobody that remembers what was said."""

    def __init__(self) -> None:
        self.said: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.acked: list[int] = []
        self.again = threading.Event()
        self.subscribed, self.epoch = threading.Event(), 1

    def publish(self, topic: str, payload: bytes) -> None:
        self.said.put((topic, payload))

    def ack(self, arrivals: Iterable[Arrival]) -> None:
        self.acked += [arrival.mid for arrival in arrivals]

    def announce(self, online: bytes) -> None:
        self.said.put(("status", online))

    def call_again(self) -> None:
        self.again.set()


class Bench:
    """The intake's own thread without a broker."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.intake = Intake(path, SITE, lambda node: node == "outlet", TestClock())
        self.ear = Ear()
        self.stop = threading.Event()
        self.mid = 0
        self.thread = threading.Thread(target=self.intake.run, args=(self.ear, self.stop))

    def arrive(self, kind: str, payload: bytes) -> None:
        self.mid += 1
        topic = topics.of(SITE, "outlet", kind)
        self.intake.arrived(Arrival(topic, payload, False, self.mid, 1, 1))

    def end(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE_S)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "readings.db")
    yield made
    made.end()


def test_a_full_disk_stops_receipts_and_nothing_else(
    mosquitto: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    """The kernel refuses intake's writes (RLIMIT_FSIZE) until there is room again."""
    intake = make_intake(mosquitto.port)
    node = make_node(mosquitto.port)
    node.hello(1, 13)
    node.up(rows(1, 12))
    node.receipt(upto=12)
    heard: list[dict[str, str]] = []
    node.client.message_callback_add(
        "kahriz/v1/+/gateway/status", lambda c, u, m: heard.append(json.loads(m.payload))
    )
    node.client.subscribe("kahriz/v1/+/gateway/status", 1)
    wait_for(lambda: heard, "the status is retained")

    assert intake.child is not None
    assert intake.log.stat().st_size < LITTLE // 2 < LITTLE < (intake.data / WAL).stat().st_size
    before = resource.prlimit(intake.child.pid, resource.RLIMIT_FSIZE, (LITTLE, -1))
    node.hello(1, 1201)
    node.up(rows(13, 1200))
    wait_for(lambda: "trouble" in heard[-1], "the status says so")
    assert heard[-1]["state"] == "online"
    assert node.receipts.qsize() == 0, "no receipt for what is not on the disk"
    assert b"no receipts until this is mended" in intake.log.read_bytes()

    resource.prlimit(intake.child.pid, resource.RLIMIT_FSIZE, before)
    assert node.receipt(upto=1200).missing == []
    wait_for(lambda: "trouble" not in heard[-1], "the status is well again")
    assert intake.query("SELECT count(*), max(times) FROM reading") == [(1200, 1)]
    assert intake.query("SELECT kind FROM notice") == [("store_refused",)]
    assert intake.child.poll() is None


def test_a_second_intake_on_the_same_folder_is_refused_in_one_line(
    mosquitto: Broker, make_intake: MakeIntake
) -> None:
    intake = make_intake(mosquitto.port)
    second = subprocess.run(
        [sys.executable, "-m", "kahriz_gateway.intake.service", "--config", str(SITE_TOML),
         "--data", str(intake.data), "--broker", f"127.0.0.1:{mosquitto.port}"],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert second.returncode == 6
    assert second.stderr.count("\n") == 1
    assert "another intake already works" in second.stderr


def test_a_message_that_makes_our_program_fail_is_kept_and_stops_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kahriz_gateway.intake import accept as intake_accept

    real = intake_accept.decode_rows

    def faulty(payload: object) -> object:
        if b"poison" in bytes(payload):  # type: ignore[call-overload]
            raise ZeroDivisionError("a fault of ours")
        return real(payload)

    monkeypatch.setattr(intake_accept, "decode_rows", faulty)
    bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 13)))
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(1, 6)))
    bench.arrive(f"up/{JOURNAL}", b"poison")
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(7, 12)))
    bench.thread.start()
    receipt = decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1])
    assert (receipt.upto, receipt.missing) == (12, [])
    wait_for(lambda: bench.ear.acked == [1, 2, 3, 4], "the broker need not send them again")
    bench.end()
    conn = open_store(bench.path, SITE)
    assert conn.execute("SELECT body, reason FROM quarantine").fetchall() == [
        (b"poison", "fault of this program: ZeroDivisionError('a fault of ours')")
    ]


def test_a_ledger_that_does_not_fit_its_rows_is_counted_again(bench: Bench) -> None:
    conn = open_store(bench.path, SITE)
    bench.thread.start()
    bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 13)))
    bench.ear.said.get(timeout=PATIENCE_S)
    values = rows(5, 5)[0].values["weir_distance_m"]
    conn.execute(
        "INSERT INTO reading(node, journal, n, ts, q, body) VALUES('outlet', ?, 5, ?, 1, ?)",
        (JOURNAL, rows(5, 5)[0].ts, json.dumps({"weir_distance_m": values})),
    )
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(1, 12)))
    receipt = decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1])
    assert (receipt.upto, receipt.missing) == (12, [])
    assert conn.execute("SELECT n, times FROM reading WHERE n IN (4, 5) ORDER BY n").fetchall() == [
        (4, 1),
        (5, 2),
    ]
    assert conn.execute("SELECT kind FROM notice").fetchall() == [("ledger_recounted",)]


def test_rows_that_the_store_refuses_though_it_was_counted_again_are_kept_and_intake_goes_on(
    bench: Bench,
) -> None:
    conn = open_store(bench.path, SITE)
    conn.execute(
        "CREATE TRIGGER odd BEFORE INSERT ON reading WHEN new.n=5"
        " BEGIN SELECT raise(ABORT, 'odd'); END"
    )
    bench.thread.start()
    bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 13)))
    bench.ear.said.get(timeout=PATIENCE_S)
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(1, 6)))
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(7, 12)))
    receipt = decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1])
    assert (receipt.upto, receipt.missing) == (12, [[1, 6]]), "no receipt for what is not stored"
    wait_for(lambda: bench.ear.acked == [1, 2, 3], "the broker need not send them again")
    assert conn.execute("SELECT reason FROM quarantine").fetchall() == [
        ("fault of this program: IntegrityError('odd')",)
    ]


def test_the_hand_over_is_bounded_and_the_broker_is_asked_to_send_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "HAND_OVER_MOST", 3)
    monkeypatch.setattr(intake_module, "_WAIT_S", 0.0)
    bench = Bench(tmp_path / "readings.db")
    for _ in range(5):
        bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 13)))
    bench.thread.start()
    assert bench.ear.again.wait(PATIENCE_S)
    bench.end()
    assert bench.ear.acked == [1, 2, 3], "what found no room is not acknowledged"


def test_a_node_is_slowed_down_while_the_hand_over_is_half_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "HAND_OVER_MOST", 8)
    monkeypatch.setattr(intake_module, "GROUP_MOST", 1)
    bench = Bench(tmp_path / "readings.db")
    for _ in range(8):
        bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 13)))
    bench.thread.start()
    limits = [decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1]).max_rows for _ in range(8)]
    bench.end()
    assert limits == [intake_module.BUSY_ROWS] * 3 + [None] * 5


def test_a_huge_message_is_cut_before_it_waits(bench: Bench) -> None:
    bench.arrive(f"up/{JOURNAL}", b"x" * 1_000_000)
    bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 1)))
    waiting = [len(bench.intake._queue.get().payload) for _ in range(2)]
    assert max(waiting) == quarantine.BODY_MOST
    bench.arrive("hello", encode_hello(Hello("5be1c07a", JOURNAL, 1, 1)))
    bench.thread.start()
    assert decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1]).upto == 0


def test_nothing_is_piled_up_for_a_broker_that_is_away() -> None:
    door = Door("test", "127.0.0.1", 1)
    assert not door.publish_surely("t", b"1", retain=True)
    assert len(door._client._out_messages) == 0


@contextlib.contextmanager
def session(port: int) -> Iterator[tuple[Door, "queue.Queue[Arrival]"]]:
    """One connection of the same session; what was said before its end the broker has read."""
    came: queue.Queue[Arrival] = queue.Queue()
    door = Door("one-session", "127.0.0.1", port, ["words"], came.put)
    door.start()
    try:
        assert door.subscribed.wait(PATIENCE_S)
        yield door, came
        assert door.publish_surely("nobody", b"", timeout_s=PATIENCE_S)
    finally:
        door.stop()


def test_an_old_connections_message_is_not_acknowledged_on_a_new_one(mosquitto: Broker) -> None:
    """The broker uses numbers again: an old word must not stand for what came since."""
    with session(mosquitto.port) as (door, came):
        assert door.publish_surely("words", b"first", timeout_s=PATIENCE_S)
        first = came.get(timeout=PATIENCE_S)
        door.ack([first._replace(epoch=first.epoch - 1)])
    with session(mosquitto.port) as (door, came):
        again = came.get(timeout=PATIENCE_S)
        assert (again.payload, again.mid) == (b"first", first.mid)
        door.ack([again])
    with session(mosquitto.port) as (door, came):
        assert door.publish_surely("words", b"second", timeout_s=PATIENCE_S)
        assert came.get(timeout=PATIENCE_S).payload == b"second"
