# SPDX-License-Identifier: MIT
"""Broker, InfluxDB and gateway as processes on this machine; what dies is started again."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from kahriz_sim import kept
from kahriz_sim.demo_screen import Screen
from kahriz_sim.keeper import Keeper
from kahriz_sim.link import gateway_is_online, listens
from kahriz_sim.services import (
    Child,
    Influx,
    ServiceError,
    claim_port,
    find_program,
    start_broker,
    start_influx,
)

READY_S = 90.0  # seen on a loaded machine with two cores: 3 s
KAHRIZ = [sys.executable, "-m", "kahriz"]


class Chain:
    """Everything above the nodes. Logs go to folder/log, stores to folder."""

    def __init__(self, folder: Path, screen: Screen, page_address: str) -> None:
        self.folder = folder
        self.screen = screen
        self.page_address = page_address
        self.broker_port = 0
        self.keeper = Keeper(
            on_restart=lambda name: screen.say(f"{name} died and is started again"),
            on_failure=screen.say,
        )
        self._influx: Influx | None = None
        try:
            (folder / "log").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(
                f"cannot write {folder} ({error.strerror}): choose another folder with --data"
            ) from None

    def start_broker(self, choice: str) -> None:
        """auto (mosquitto where it is installed, else the embedded one), mosquitto or nats."""
        kinds: dict[str, Literal["mosquitto", "nats"] | None] = {
            "auto": None,
            "mosquitto": "mosquitto",
            "nats": "nats",
        }
        if choice not in kinds:
            raise ServiceError(f"--broker {choice!r} is not known: {', '.join(kinds)}")
        # The nodes keep the port in their flash: a run that is gone on with takes the same again.
        known = self.folder / "broker.port"
        port = int(known.read_text()) if known.exists() else 0
        try:
            claim_port(port, "broker")
        except ServiceError:
            raise ServiceError(
                f"port {port}, where the nodes of {self.folder} look for their broker, is taken: "
                "end the run that still uses this folder, or choose another with --data"
            ) from None
        broker = start_broker(self.folder, kinds[choice], port)
        kept.put(known, str(broker.port))
        self.keeper.watch("the broker", broker, broker.restart)
        self.broker_port = broker.port
        self.screen.say(f"broker: {broker.kind} on {broker.host}:{broker.port}")

    def start_influx(self, *, wanted: bool) -> None:
        """Where influxd is installed; the chain stands without it."""
        if not wanted or not find_program("influxd"):
            return
        try:
            self._influx = influx = start_influx(self.folder)
        except ServiceError as error:
            self.screen.say(f"without InfluxDB: {error}")
            return
        self.keeper.watch("InfluxDB", influx, influx.restart)
        self.screen.say(f"InfluxDB: {influx.url} (user {influx.user}, bucket {influx.bucket})")

    def _influx_options(self) -> list[str]:
        if self._influx is None:
            return []
        # Our own throw-away engine on the loopback: its password is no secret.
        return ["--influx-url", self._influx.login_url, "--influx-bucket", self._influx.bucket]

    def start_gateway(
        self, site_id: str, site: Path, records: Path, options: Sequence[str] = ()
    ) -> None:
        """Import the dated records once, run intake and village, wait until both answer."""
        common = ["--config", str(site), "--data", str(self.folder)]
        self.run("records", ["gateway", "records", "import", str(records), *common])
        self.child("gateway", [
            *KAHRIZ, "gateway", "run", *common, "--broker", f"127.0.0.1:{self.broker_port}",
            "--page", self.page_address, *self._influx_options(), *options,
        ])  # fmt: skip
        host, _, port = self.page_address.rpartition(":")
        if not (
            gateway_is_online(site_id, "127.0.0.1", self.broker_port, READY_S)
            and listens(host, int(port), READY_S)
        ):
            log = self.folder / "log" / "gateway.log"
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["(no word)"]
            raise ServiceError(f"the gateway is not there after {READY_S:g} s: {last[0]}")

    def run(self, what: str, arguments: Sequence[str]) -> None:
        """A `kahriz` command that must end well before we go on."""
        done = subprocess.run([*KAHRIZ, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["(no word)"]
            raise ServiceError(f"{what}: {lines[-1]}")

    def child(self, name: str, argv: Sequence[str]) -> None:
        """A program that runs until the end."""
        child = Child(name, argv, self.folder / "log" / f"{name}.log")
        child.start()
        self.keeper.watch(name, child, child.start)

    def ask(self, database: str, sql: str) -> list[tuple[object, ...]]:
        """Rows of a store, none while it is not there yet, or cannot be read just now."""
        with contextlib.suppress(sqlite3.OperationalError):
            return kept.ask(self.folder / database, sql)
        return []

    def drain(self, timeout_s: float) -> bool:
        """Wait until the village has seen all that intake stored, and InfluxDB all of that."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            newest = self.ask("readings.db", "SELECT coalesce(max(rev), 0) FROM reading")
            changed = self.ask("village.db", "SELECT coalesce(max(rev), 0) FROM changed")
            rows = self.ask("village.db", "SELECT name, rev FROM cursor")
            seen = {str(name): rev for name, rev in rows}
            through = bool(newest) and seen.get("village", 0) == newest[0][0]
            if self._influx is not None and changed:
                through = through and seen.get("influx", 0) == changed[0][0]
            if through:
                return True
            time.sleep(0.2)
        return False

    def stop(self) -> None:
        """End everything, last started first."""
        self.keeper.stop()
