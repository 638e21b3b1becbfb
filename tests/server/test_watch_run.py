# SPDX-License-Identifier: MIT
"""`kahriz server run` as a program: ready, killed, started again, TLS; its commands; its unit."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_server.cli import server
from kahriz_server.watch import store

from .office import HOUR, MINUTE, OFFICE, PATIENCE_S, START, Mail, Node, certificate

SERVER = Path(__file__).parents[2] / "server"
UNIT = SERVER / "deploy" / "kahriz-server.service"
MOST = 2.0  # systemd-analyze's exposure, of 10


class Program:
    """The server as a process of its own, with a clock that the test writes."""

    def __init__(self, folder: Path, more: str = "", port: int = 25) -> None:
        self.folder, self.data = folder, folder / "office"
        self.config = folder / "office.toml"
        delays = "[alarms]\ngather_minutes = 0\n[alarms.on_delay_minutes]\ngateway_silent = 0\n"
        self.config.write_text(OFFICE.replace("PORT", str(port)) + delays + more, encoding="utf-8")
        self.clock = folder / "clock"
        self.now(START)
        self.child: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"

    def now(self, ms: int) -> None:
        with self.clock.open("r+b" if self.clock.exists() else "wb") as clock:  # it is mapped
            clock.write(struct.pack("<q", ms))
        self.ms = ms

    def start(self) -> int:
        """The port at which it listens."""
        before = len(self.lines())
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "kahriz", "server", "run", "--config", str(self.config),
                 "--data", str(self.data), "--clock-file", str(self.clock)], stderr=log,
            )  # fmt: skip
        said = wait_for(
            lambda: [x for x in self.lines()[before:] if "heartbeats at" in x], self.log
        )
        return int(said[0].rpartition(":")[2])

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def kill9(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait(PATIENCE_S)

    def stop(self) -> int:
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE_S)

    def store(self) -> sqlite3.Connection:
        conn = store.open_office(self.data)
        conn.execute("PRAGMA synchronous=OFF")
        return conn


def wait_for(what: Callable[[], Any], why: object) -> Any:
    """Look until it is true; the time is for a broken program, not for a slow machine."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
    return found


def beat(
    port: int, node: Node, body: bytes, tls: ssl.SSLContext | None = None
) -> tuple[int, dict[str, Any]]:
    kind = http.client.HTTPConnection if tls is None else http.client.HTTPSConnection
    given = {} if tls is None else {"context": tls}
    talk = kind("127.0.0.1", port, timeout=PATIENCE_S, **given)  # type: ignore[arg-type]
    talk.request("POST", wire.PATH, body, {wire.SIGNATURE: key.sign(node.seed, body)})
    answer = talk.getresponse()
    said = json.loads(answer.read())
    talk.close()
    return answer.status, said


def add(data: Path, *nodes: Node) -> None:
    for node in nodes:
        given = ["gateway", "add", node.site, node.public, "--data", str(data)]
        said = CliRunner().invoke(server, given)
        assert said.exit_code == 0, said.output


def test_a_gateway_that_died_rings_once_through_a_kill_and_clears_when_it_is_back(
    tmp_path: Path,
) -> None:
    """Three hours pass while it is switched on, as its own notes say: the store is made so.

    What it had heard before a kill it knows after it.
    """
    mail = Mail()
    program = Program(tmp_path, port=mail.port)
    nodes = [Node("left"), Node("right"), Node("third")]
    add(program.data, *nodes)
    try:
        port = program.start()
        before = {node.site: node.beat(START) for node in nodes}
        for node in nodes:
            assert beat(port, node, before[node.site])[0] == 200
        program.kill9()
        program.now(START + 3 * HOUR)
        with program.store() as conn:
            store.set_state(conn, "alive_ms", program.ms - MINUTE)
            store.set_state(conn, "deaf_until", START)
            conn.execute("UPDATE gateway SET received=? WHERE site<>'left'", (program.ms,))
            conn.execute("UPDATE gateway SET added=?", (START,))
        conn.close()
        program.start()
        conn = program.store()
        sent = "SELECT 1 FROM message WHERE state='sent'"
        wait_for(lambda: conn.execute(sent).fetchone(), program.lines())
        conn.close()
        program.kill9()
        program.now(program.ms + MINUTE)
        port = program.start()
        left = nodes[0]
        assert beat(port, left, before["left"])[0] == 409
        assert beat(port, left, left.beat(program.ms))[0] == 200
        conn = program.store()
        calm = "SELECT 1 FROM alarm WHERE place='left' AND calm IS NOT NULL"
        wait_for(lambda: conn.execute(calm).fetchone(), program.lines())
        program.now(program.ms + 6 * MINUTE)
        wait_for(lambda: len(mail.post) > 1, program.lines())
        conn.close()
        first, second = [str(m.get_payload(decode=True), "utf-8") for m in mail.post]
        assert first.startswith("Şlüz susur: left")
        assert "✓" in second.splitlines()[0]
        assert program.stop() == 0
    finally:
        if program.child is not None and program.child.poll() is None:
            program.kill9()
        mail.close()


def test_it_speaks_tls_by_itself_and_tells_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, keyfile = certificate(tmp_path)
    more = f'[listen]\nport = 0\ncert = "{cert}"\nkey = "{keyfile}"\n'
    program = Program(tmp_path)
    text = program.config.read_text().replace("[listen]\nport = 0\n", more)
    program.config.write_text(text)
    node = Node("left")
    add(program.data, node)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        port = program.start()
        try:
            trusted = ssl.create_default_context(cafile=cert)
            assert beat(port, node, node.beat(START), trusted)[0] == 200
            heard = ""
            while "READY=1" not in heard or "WATCHDOG=1" not in heard:
                heard += systemd.recv(4096).decode() + "\n"
            assert program.stop() == 0
            while "STOPPING=1" not in heard:
                heard += systemd.recv(4096).decode()
        finally:
            program.kill9()


@pytest.mark.needs("systemd-analyze")
def test_the_unit_is_hardened_and_understood(tmp_path: Path) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said.stdout)
    assert found is not None, said.stderr
    assert float(found[1]) <= MOST, said.stdout
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/kahriz/bin/kahriz", sys.executable))
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert [line for line in checked.stderr.splitlines() if UNIT.name in line] == []


def test_every_option_of_the_unit_is_one_that_the_program_has() -> None:
    line = next(x for x in UNIT.read_text().splitlines() if x.startswith("ExecStart="))
    known = {option for each in server.commands["run"].params for option in each.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= known
