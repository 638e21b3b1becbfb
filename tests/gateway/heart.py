# SPDX-License-Identifier: MIT
"""A gateway with a store whose heartbeats go to the office's real server, for tests."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kahriz_alarms.heartbeat import key
from kahriz_gateway.alarms.office import KIND, OfficeWatch
from kahriz_gateway.heartbeat.beats import Heartbeats, seed_of
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_server.watch import store
from kahriz_water.plan import parse_plan
from kahriz_water.site import OfficeServer, Plan
from tests.server.office import PATIENCE_S, START, Bench, Door, door

from .conftest import TestClock

ROOT = Path(__file__).parents[2]
SITE = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
TEXT = (SITE / "site.toml").read_text(encoding="utf-8")
PLAN = parse_plan(TEXT)
SECRETS = ("Quliyev", "+994501234567", "photo-of-a-house", "belongs to", "ali@example.az")


class Village:
    """A gateway with a store, and heartbeats to a port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.data, self.clock = folder / "village", TestClock(START)
        self.data.mkdir()
        self.conn = village_store.open_village(self.data / "village.db")
        self.conn.execute("PRAGMA synchronous=OFF")
        self.point(port)

    def point(self, port: int, deadline_s: float = 60.0, plan: Plan = PLAN) -> None:
        """Begin anew, as after a restart, with the office at this port."""
        office = OfficeServer(f"http://127.0.0.1:{port}")
        self.plan = replace(plan, server=office)
        watch = OfficeWatch("server", self.plan, self.clock, {})
        self.beats = Heartbeats(
            self.plan, office, self.data, self.clock, watch, deadline_s=deadline_s
        )

    def step(self) -> float:
        return self.beats.step(self.conn)

    @property
    def alarm(self) -> bool:
        found = village_alarms.open_alarm(self.conn, KIND, PLAN.id)
        return found is not None and found.calm is None

    def alarms(self) -> int:
        sql = "SELECT count(*) FROM alarm WHERE kind=?"
        return int(self.conn.execute(sql, (KIND,)).fetchone()[0])


def know(bench: Bench, village: Village) -> None:
    with store.transaction(bench.conn):
        store.add(bench.conn, PLAN.id, key.public(seed_of(village.data)), None, START)


def heard(bench: Bench) -> store.Gateway:
    found = store.gateway(bench.conn, PLAN.id)
    assert found is not None
    return found


@contextmanager
def standing(folder: Path) -> Iterator[tuple[Bench, Village, Door]]:
    """An office that knows a village, and the village that sends to it."""
    bench = Bench(folder)
    with door(bench) as office:
        village = Village(folder, office.port)
        know(bench, village)
        yield bench, village, office
        village.conn.close()
    bench.conn.close()


@contextmanager
def answering(reply: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A socket that keeps what it is sent and answers this to everybody; then it waits."""
    kept: list[bytes] = []
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            held.append(sock)
            text = b""
            while b"\r\n\r\n" not in text or len(text) < _whole(text):
                text += (piece := sock.recv(65_536))
                if not piece:  # it has given up before it was heard to the end
                    break
            kept.append(text)
            sock.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], kept
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)
        for sock in held:
            sock.close()


def _whole(text: bytes) -> int:
    size = re.search(rb"(?i)content-length: (\d+)", text)
    return text.index(b"\r\n\r\n") + 4 + int(size[1] if size else 0)
