# SPDX-License-Identifier: MIT
"""A real broker, the real intake as a process, and nodes that speak through a real paho."""

import contextlib
import json
import queue
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.store import open_store
from kahriz_sim.services import Broker, start_broker
from kahriz_wire import topics
from kahriz_wire.messages import (
    Ack,
    Hello,
    Receipt,
    Row,
    decode_receipt,
    encode_ack,
    encode_hello,
    encode_rows,
)

ROOT = Path(__file__).parents[2]
SITE = "banovshalar-gozlu"
SITE_TOML = ROOT / "firmware" / "kahriz_sim" / "sites" / SITE / "site.toml"
NOW_MS = 1_795_000_000_000
JOURNAL = "9f3a01c2"
PATIENCE_S = 120.0  # for a broken program, never for a slow machine


def wait_for(what: Callable[[], Any], why: str, timeout_s: float = PATIENCE_S) -> Any:
    """Look until it is true; the timeout is for a broken program, not for a slow machine."""
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s: {why}"
        time.sleep(0.02)
    return found


def rows(first: int, last: int, **values: float | str) -> list[Row]:
    """Readings every five minutes, numbered first…last, the newest just before now."""
    return [
        Row(n, 1, values or {"weir_distance_m": 0.6 + n / 1e4}, NOW_MS - 86_400_000 + n * 1000)
        for n in range(first, last + 1)
    ]


class TestClock:
    """A clock that the test sets."""

    __test__ = False

    def __init__(self, now_ms: int = NOW_MS, trusted: bool = True) -> None:
        self.ms = now_ms
        self.is_trusted = trusted
        self.floor_ms = 0

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return self.is_trusted

    def not_before(self, ms: int) -> None:
        self.floor_ms = ms


class Process:
    """The intake as `gateway run` starts it."""

    def __init__(self, data: Path, port: int, clock_file: Path, *more: str) -> None:
        self.data = data
        self.log = data / "intake.log"
        self._argv = [
            sys.executable, "-m", "kahriz_gateway.intake.service", "--config", str(SITE_TOML),
            "--data", str(data), "--broker", f"127.0.0.1:{port}", "--clock-file", str(clock_file),
            *more,
        ]  # fmt: skip
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> "Process":
        with self.log.open("ab") as out:
            begin = out.tell()
            self.child = subprocess.Popen(self._argv, stdout=out, stderr=out)
        wait_for(lambda: b"subscribed" in self.log.read_bytes()[begin:], "intake subscribes")
        return self

    def kill9(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def stop(self) -> int:
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE_S)

    def query(self, sql: str, *values: object) -> list[Any]:
        path = self.data / "readings.db"
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_S)) as conn:
            return conn.execute(sql, values).fetchall()


class Node:
    """A node as the wire sees it: hello, rows, receipts obeyed, ack."""

    def __init__(self, port: int, name: str = "outlet", journal: str = "9f3a01c2") -> None:
        self.name = name
        self.journal = journal
        self.sessions = 0
        self.receipts: queue.Queue[Receipt] = queue.Queue()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            f"test-{name}-{journal}",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        standing = queue.Queue[bool]()
        self.client.on_connect = lambda c, *_: c.subscribe(self.topic("receipt"))
        self.client.on_subscribe = lambda *_: standing.put(True)
        self.client.on_message = lambda c, u, m: self.receipts.put(decode_receipt(m.payload))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        standing.get(timeout=PATIENCE_S)

    def topic(self, kind: str) -> str:
        return topics.of(SITE, self.name, kind)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, kind: str, payload: bytes, retain: bool = False) -> None:
        self.raw(self.topic(kind), payload, retain)

    def raw(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def hello(self, first: int, next: int, **more: Any) -> str:
        self.sessions += 1
        hello = Hello(f"{self.sessions:08x}", self.journal, first, next)
        for key, value in more.items():
            setattr(hello, key, value)
        self.publish("hello", encode_hello(hello))
        return hello.s

    def up(self, some: list[Row]) -> None:
        for at in range(0, len(some), 12):
            self.publish(f"up/{self.journal}", encode_rows(some[at : at + 12]))

    def ack(self, *gone: tuple[int, int, str]) -> None:
        self.publish("ack", encode_ack(Ack(f"{self.sessions:08x}", self.journal, list(gone), [])))

    def receipt(self, upto: int | None = None, timeout_s: float = PATIENCE_S) -> Receipt:
        """The next receipt, or the first that covers `upto` with nothing missing."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                found = self.receipts.get(timeout=max(0.01, left))
            except queue.Empty:
                pytest.fail(f"no receipt (upto {upto}) for {self.name} in {timeout_s:.0f} s")
            if upto is None or (found.upto >= upto and not found.missing):
                return found


class Gateway:
    """A store, a clock and the judgement, without a broker."""

    def __init__(self, path: Path) -> None:
        self.clock = TestClock()
        self.path = path
        self.sessions = 0
        self.reopen()

    def reopen(self) -> None:
        self.conn = open_store(self.path, SITE)
        known = {"outlet", "middle"}
        self.accept = Accept(self.conn, SITE, known.__contains__, self.clock)

    def tell(
        self, kind: str, payload: bytes, node: str = "outlet", retained: bool = False
    ) -> Receipt | None:
        return self.raw(topics.of(SITE, node, kind), payload, retained)

    def raw(self, topic: str, payload: bytes, retained: bool = False) -> Receipt | None:
        self.conn.execute("BEGIN IMMEDIATE")
        key = self.accept.message(topic, payload, retained)
        self.accept.books.save(self.clock.now_ms())
        self.conn.execute("COMMIT")
        answer = None if key is None else self.accept.receipt(key)
        return None if answer is None else decode_receipt(answer[1])

    def hello(self, first: int, next: int, journal: str = JOURNAL, **more: Any) -> Receipt:
        self.sessions += 1
        hello = Hello(f"{self.sessions:08x}", journal, first, next)
        for key, value in more.items():
            setattr(hello, key, value)
        receipt = self.tell("hello", encode_hello(hello))
        assert receipt is not None
        return receipt

    def up(self, some: list[Row], journal: str = JOURNAL) -> Receipt | None:
        return self.tell(f"up/{journal}", encode_rows(some))

    def query(self, sql: str) -> list[Any]:
        return self.conn.execute(sql).fetchall()

    def reasons(self) -> list[str]:
        return [kept.reason for kept in quarantine.listed(self.conn)]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path / "readings.db")


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "nats"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Both brokers that a village may have."""
    started = start_broker(tmp_path / "broker", request.param)
    yield started
    started.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    started = start_broker(tmp_path / "broker", "mosquitto")
    yield started
    started.stop()


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    path = tmp_path / "clock"
    path.write_bytes(NOW_MS.to_bytes(8, "little"))
    return path


@pytest.fixture
def make_intake(tmp_path: Path, clock_file: Path) -> Iterator[Callable[..., Process]]:
    """Start the intake against a broker; what still runs at the end is killed."""
    made: list[Process] = []

    def make(port: int, *more: str) -> Process:
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        made.append(Process(data, port, clock_file, *more))
        return made[-1].start()

    yield make
    for each in made:
        if each.child is not None and each.child.poll() is None:
            each.kill9()


@pytest.fixture
def make_node() -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(port: int, name: str = "outlet", journal: str = "9f3a01c2") -> Node:
        made.append(Node(port, name, journal))
        return made[-1]

    yield make
    for each in made:
        each.close()


def body_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
