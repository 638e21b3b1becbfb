# SPDX-License-Identifier: MIT
"""What is measured on: broker, InfluxDB and gateway as processes, and a site of so many nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kahriz_sim.services import (
    Broker,
    Child,
    Influx,
    answers_mqtt,
    find_program,
    free_port,
    start_influx,
)
from scripts.bench_mqtt import Link, Message
from scripts.bench_site import SITE, Site

ROOT = Path(__file__).parents[1]
PATIENCE_S = 600.0
BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 0
max_packet_size 65536
persistence true
persistence_location {dir}/
autosave_interval 900
log_type error
user root
"""


def wait_until(
    done: Callable[[], bool], what: str, pause_s: float = 0.02, patience_s: float = PATIENCE_S
) -> float:
    """Wait, and say how long it took; a program that never comes so far ends the bench."""
    start = time.monotonic()
    while not done():
        if time.monotonic() - start > patience_s:
            raise TimeoutError(f"waited {patience_s:.0f} s: {what}")
        time.sleep(pause_s)
    return time.monotonic() - start


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used so far, all its threads."""
    text = Path(f"/proc/{pid}/stat").read_text()
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, key: str = "VmRSS") -> float:
    """VmRSS now, or VmHWM, the most it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Let VmHWM begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Rig:
    """One folder with a broker of unlimited queue, an InfluxDB, and our gateway when asked."""

    def __init__(
        self,
        folder: Path,
        nodes: int,
        *,
        influx: bool,
        python: str | None = None,
        kind: str = "weir",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._python = python or gateway_python()
        self.folder = folder
        self.site = Site(folder, nodes, kind)
        self.broker = _broker(folder)
        self.influx: Influx | None = start_influx(folder) if influx else None
        self.intake = self._service("intake", "kahriz_gateway.intake.service")
        self.village = self._service("village", "kahriz", "gateway", "village")
        self._taken = socket.socket()  # whoever cannot have its port loads no page
        self._taken.bind(("127.0.0.1", 0))
        self._kahriz("gateway", "records", "import", str(self.site.records))

    def _argv(self) -> list[str]:
        argv = ["--config", str(self.site.toml), "--data", str(self.folder)]
        argv += ["--broker", f"127.0.0.1:{self.broker.port}"]
        return argv + (["--influx-url", self.influx.login_url] if self.influx else [])

    def _service(self, name: str, *module: str) -> Child:
        argv = [self._python, "-m", *module, *self._argv()]
        return Child(name, argv, self.folder / f"{name}.log")

    def _kahriz(self, *argv: str) -> None:
        whole = [sys.executable, "-m", "kahriz", *argv, *self._argv()]
        subprocess.run(whole, check=True, capture_output=True)

    def start(self, *, village: bool = True) -> None:
        """Both services; the village without its page."""
        self.start_intake()
        if village and not self.village.running:
            host, port = self._taken.getsockname()
            if "--page" not in self.village.argv:
                self.village.argv += ["--page", f"{host}:{port}"]
            self.village.start()

    def start_intake(self) -> float:
        """Start intake; seconds until its SUBACK (its retained word comes right after)."""
        seen: list[float] = []

        def heard(message: Message) -> None:
            if b'"online"' in message.payload:
                seen.append(time.monotonic())

        with contextlib.closing(Link(self.broker.port, "bench-look", on_message=heard)) as link:
            link.subscribe(f"kahriz/v1/{SITE}/gateway/status")
            link.listen(0.05)
            seen.clear()  # an older one, retained
            start = time.monotonic()
            self.intake.start()
            while not seen:
                link.listen(0.05)
                if not self.intake.running:
                    raise RuntimeError(self.intake.last_line())
            return seen[0] - start

    def leave(self) -> None:
        """Stop intake and end its session: the broker keeps nothing for it while others work."""
        self.intake.stop()
        with contextlib.closing(Link(self.broker.port, f"kahriz-{SITE}-intake")):
            pass

    def ask(self, store: str, sql: str) -> int:
        """One number of a store; 0 while there is none."""
        path = self.folder / store
        if not path.exists():
            return 0
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn,
        ):
            row = conn.execute(sql).fetchone()
            return int((row and row[0]) or 0)
        return 0

    def stored(self) -> int:
        return self.ask("readings.db", "SELECT max(rev) FROM reading")

    def passed_on(self, rows: int) -> bool:
        """Whether InfluxDB has been handed the values of so many rows."""
        if self.ask("village.db", "SELECT rev FROM cursor WHERE name='village'") < rows:
            return False
        newest = self.ask("village.db", "SELECT max(rev) FROM changed")
        return self.ask("village.db", "SELECT rev FROM cursor WHERE name='influx'") >= newest

    def in_influx(self) -> int:
        """Points that InfluxDB really has."""
        assert self.influx is not None
        found = self.influx.query('SELECT count("q") FROM "water"')[0].get("series")
        return int(found[0]["values"][0][1]) if found else 0

    def stop(self) -> None:
        for each in (self.village, self.intake):
            each.stop()
        self.broker.stop()
        if self.influx:
            self.influx.stop()
        self._taken.close()


def _broker(folder: Path) -> Broker:
    program = find_program("mosquitto")
    if program is None:
        raise RuntimeError("no mosquitto: apt install mosquitto")
    port, home = free_port(), folder / "mosquitto"
    home.mkdir(exist_ok=True)
    conf = home / "broker.conf"
    text = BROKER.format(port=port, dir=home)
    conf.write_text(text if os.geteuid() == 0 else text.replace("user root\n", ""))
    child = Child("broker", [program, "-c", str(conf)], home / "log")
    child.start()
    child.wait_until(lambda: answers_mqtt(port))
    return Broker("mosquitto", port, child)


def gateway_python() -> str:
    """A Python with what the Pi has and nothing else: a stray numpy alone is 12 MB."""
    home = ROOT / "build" / "bench" / "venv"
    wanted = (ROOT / "pyproject.toml").read_text()  # what it asks for is what was installed
    if not (home / "installed").exists() or (home / "installed").read_text() != wanted:
        uv = ROOT / ".tools" / "bin" / "uv"
        start = [str(uv if uv.exists() else "uv")]
        python = ["--python", str(home / "bin" / "python")]
        for argv in (
            ["venv", "-q", "--clear", "--python", sys.executable, str(home)],
            ["pip", "install", "-q", *python, "-e", f"{ROOT}[gateway]"],
        ):
            subprocess.run([*start, *argv], check=True)
        (home / "installed").write_text(wanted)
    return str(home / "bin" / "python")


@contextlib.contextmanager
def rig(
    folder: Path, nodes: int, *, influx: bool, python: str | None = None, kind: str = "weir"
) -> Iterator[Rig]:
    made = Rig(folder, nodes, influx=influx, python=python, kind=kind)
    try:
        yield made
    finally:
        made.stop()


def kill(child: Child) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.kill9()
