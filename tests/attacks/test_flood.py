# SPDX-License-Identifier: MIT
"""One node floods the real broker and the real intake; the others keep their service.

Nothing here is judged by the wall clock: the flood goes on until the others have been served, and
it is counted that it went on meanwhile.
"""

from __future__ import annotations

import itertools
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.ledger import GAPS_MOST
from kahriz_gateway.intake.newcomers import JOURNALS_A_DAY
from kahriz_node import dial, mqtt
from kahriz_sim.services import Broker
from kahriz_wire import outgoing, ranges, topics
from kahriz_wire.messages import Row
from tests.attacks.favourites import NASTY
from tests.gateway.conftest import NOW_MS, SITE, Gateway, Node, Process, rows, wait_for
from tests.gateway.conftest import clock_file as clock_file
from tests.gateway.conftest import make_intake as make_intake
from tests.gateway.conftest import make_node as make_node
from tests.gateway.conftest import mosquitto as mosquitto

pytestmark = pytest.mark.needs("mosquitto")
FLOODER = "outlet"
LEAST = 3_000  # messages of the flood, whatever the others needed
SESSIONS = 2
ROWS = 24
AGAIN_S = 2.0  # a node says its word again; only a lost message makes anybody wait for it
NOW_AND_THEN = 200  # messages between two tidyings of the quarantine
MOST_KB = 128 * 1024  # the intake's unit ends it beyond this


class Flood:
    """A broken or malicious node: it never waits for anything, and never stops by itself."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.sendall(dial.connect("flood", "x", b"x"))
        self._threads = [threading.Thread(target=each) for each in (self._pour, self._swallow)]
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._stop.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        for each in self._threads:
            each.join()
        self._socket.close()

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        bad = itertools.cycle([each[:60_000] for each in NASTY if each])
        for n in itertools.count(1):
            row = outgoing.row_text(n, 1, [("weir_distance_m", "0.6510")], NOW_MS - 10**8 + n)
            yield "up/9f3a01c2", outgoing.up([row])
            yield "hello", outgoing.hello(f"{n:08x}", "9f3a01c2", 1, n + 1, [])
            yield "hello", outgoing.hello(f"{n:08x}", f"{n:08x}", 1, n + 1, [])
            yield "up/9f3a01c2", next(bad)
            yield "ack", outgoing.ack(f"{n:08x}", "9f3a01c2", [(1, n, "lost")], [])

    def _pour(self) -> None:
        for number, (kind, payload) in enumerate(self._messages()):
            topic = topics.of(SITE, FLOODER, kind)
            try:
                self._socket.sendall(mqtt.publish(number % 0xFFFF + 1, topic, payload, False))
            except OSError:
                return
            self.sent += 1
            if self._stop.is_set():
                return

    def _swallow(self) -> None:
        try:
            while self._socket.recv(65_536):
                pass
        except OSError:
            return


def test_ever_new_journals_of_a_node_end_in_quarantine_and_the_old_ones_live(
    tmp_path: Path,
) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    for number in range(1, JOURNALS_A_DAY + 1):
        gateway.hello(1, 2, f"{number:08x}")
    for number in range(JOURNALS_A_DAY + 1, 300):
        hello = outgoing.hello("5be1c07a", f"{number:08x}", 1, 2, [])
        assert gateway.tell("hello", hello) is None
        assert gateway.up(rows(1, 1), f"{number:08x}") is None
    assert all("look at the board" in why for why in gateway.reasons())
    assert gateway.query("SELECT count(*) FROM session") == [(JOURNALS_A_DAY,)]
    assert gateway.query("SELECT count(*) FROM notice") == [(JOURNALS_A_DAY - 1,)]
    assert gateway.hello(1, 3, f"{1:08x}").missing == [[1, 2]]  # known: served as before
    gateway.reopen()  # and after a restart
    assert gateway.hello(1, 3, f"{JOURNALS_A_DAY:08x}").missing == [[1, 2]]
    assert gateway.tell("hello", outgoing.hello("5be1c07a", "aaaa0001", 1, 2, []), "middle")
    for number in range(400, 400 + JOURNALS_A_DAY):
        gateway.hello(1, 2, f"{number:08x}")
    gateway.clock.ms += 86_400_000
    assert gateway.hello(1, 2, "ffffffff").upto == 1  # another day


def test_acks_of_ever_new_journals_end_in_quarantine_and_leave_no_ledger(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    gateway.hello(1, 9)
    for number in range(2 * JOURNALS_A_DAY):
        gateway.tell("ack", outgoing.ack("5be1c07a", f"{number:08x}", [(1, 5, "lost")], []))
    assert len(gateway.reasons()) == JOURNALS_A_DAY + 1
    assert all("look at the board" in why for why in gateway.reasons())
    gateway.tell("ack", outgoing.ack("5be1c07a", "9f3a01c2", [(1, 5, "lost")], []))
    assert gateway.hello(1, 9).missing == [[6, 8]]  # the journal that is known: as before


def test_a_journal_broken_into_crumbs_costs_nobody_the_time_of_all_its_gaps(
    tmp_path: Path,
) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    next_n = 20_000
    gateway.hello(1, next_n)
    crumbs = itertools.count(2, 2)
    for _ in range(GAPS_MOST // 60 + 3):
        some = [Row(n, 1, {"a_m": 1.0}, NOW_MS - 10**9 + n) for n in islice(crumbs, 60)]
        gateway.up(some)
    assert "look at the board" in gateway.reasons()[0]
    assert gateway.query("SELECT count(*) FROM gap")[0][0] <= GAPS_MOST
    bad = b",".join(b'{"n":%d}' % n for n in range(12_000, 12_200, 2))
    assert gateway.tell("up/9f3a01c2", b"[" + bad + b"]") is None  # nor by rows that are none
    gone = [(n, n, "lost") for n in range(12_000, 12_060, 2)]
    assert gateway.tell("ack", outgoing.ack("5be1c07a", "9f3a01c2", gone, [])) is None
    assert gateway.query("SELECT count(*) FROM gap")[0][0] <= GAPS_MOST
    newest = [Row(n, 1, {"a_m": 1.0}, NOW_MS - 10**9 + n) for n in range(next_n - 12, next_n)]
    assert gateway.up(newest) is not None  # an honest node is served, and mends it
    for _ in range(3):
        asked = gateway.hello(1, next_n).missing
        some = [Row(a, 1, {"a_m": 1.0}, NOW_MS - 10**9 + a) for a, _ in asked]
        assert gateway.up(some) is not None
    assert gateway.hello(1, next_n).missing[0][0] > 60


def session(node: Node, first: int, last: int) -> None:
    """As the firmware does: say hello and the newest rows, again and again until they are held."""
    some = rows(first, last)
    for _ in range(60):
        node.hello(1, last + 1)
        node.up(some)
        try:
            while True:
                found = node.receipts.get(timeout=AGAIN_S)
                if found.upto >= last and not ranges.common(found.missing, [[first, last]]):
                    return
        except queue.Empty:
            continue
    pytest.fail(f"{node.name} got no receipt for {last}")


def test_a_flood_from_one_node_keeps_nobody_else_from_their_receipts(
    mosquitto: Broker,
    make_intake: Callable[..., Process],
    make_node: Callable[..., Node],
    tmp_path: Path,
) -> None:
    intake = make_intake(mosquitto.port)
    others = [make_node(mosquitto.port, name, "aaaa0001") for name in ("middle", "inlet")]
    pool = ThreadPoolExecutor(len(others))
    flood = Flood(mosquitto.port)
    try:
        wait_for(lambda: flood.sent > LEAST // 4, "the flood has begun")
        for number in range(SESSIONS):
            before = flood.sent
            served = [
                pool.submit(session, node, number * ROWS + 1, (number + 1) * ROWS)
                for node in others
            ]
            for each in served:
                each.result()
            wait_for(lambda: flood.sent > before, "the flood goes on")  # noqa: B023
        wait_for(lambda: flood.sent > LEAST, "the flood was large enough to count")
    finally:
        flood.end()
        pool.shutdown()

    for node in others:
        stored = intake.query("SELECT n FROM reading WHERE node=? ORDER BY n", node.name)
        assert [n for (n,) in stored] == list(range(1, SESSIONS * ROWS + 1))
    (noise,) = intake.query("SELECT count(*) FROM quarantine WHERE n IS NULL")
    assert noise[0] < quarantine.NOISE_MOST + NOW_AND_THEN
    assert intake.query("PRAGMA quick_check(1)") == [("ok",)]
    assert intake.child is not None
    assert intake.child.poll() is None
    peak = Path(f"/proc/{intake.child.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    assert int(peak) < MOST_KB
    session(others[0], SESSIONS * ROWS + 1, (SESSIONS + 1) * ROWS)  # and it goes on
