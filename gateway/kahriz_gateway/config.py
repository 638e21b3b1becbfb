# SPDX-License-Identifier: MIT
"""The gateway's settings: the plan in site.toml, what the command line puts in its place, nodes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kahriz_alarms.service.exits import EXIT_CLOCK as EXIT_CLOCK
from kahriz_alarms.service.exits import EXIT_CONFIG as EXIT_CONFIG
from kahriz_alarms.service.exits import EXIT_STATE as EXIT_STATE
from kahriz_alarms.service.exits import EXIT_STORE as EXIT_STORE
from kahriz_gateway.broker.tls import beside
from kahriz_gateway.clock import EARLIEST_MS, ClockError
from kahriz_gateway.intake.store import StoreError
from kahriz_water.plan import Influx, Plan, parse_plan
from kahriz_water.plan_broker import refuse_exposed
from kahriz_water.strict import ConfigError


class StateError(Exception):
    """Something else stands in the way (a second gateway): in words, with the mend."""


def exit_code(error: Exception) -> int:
    """Which exit code belongs to an error that ends a service."""
    codes = ((ConfigError, EXIT_CONFIG), (StoreError, EXIT_STORE), (ClockError, EXIT_CLOCK))
    return next((code for kind, code in codes if isinstance(error, kind)), EXIT_STATE)


@dataclass(frozen=True, slots=True)
class Options:
    """What one run of the gateway is told; the same for both services."""

    config: Path
    data: Path
    broker: str | None = None
    page: str | None = None
    influx_url: str | None = None
    influx_token_file: str | None = None
    influx_bucket: str | None = None
    clock_file: Path | None = None
    earliest: str | None = None

    def argv(self) -> list[str]:
        """These options as a command line."""
        given = {
            "--config": self.config,
            "--data": self.data,
            "--broker": self.broker,
            "--page": self.page,
            "--influx-url": self.influx_url,
            "--influx-token-file": self.influx_token_file,
            "--influx-bucket": self.influx_bucket,
            "--clock-file": self.clock_file,
            "--earliest": self.earliest,
        }
        return [part for key, value in given.items() if value for part in (key, str(value))]


def read_plan(options: Options) -> Plan:
    """The plan, with broker, page and InfluxDB as this run wants them."""
    try:
        text = options.config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(options.config), f"a readable site.toml ({error})") from error
    plan = parse_plan(text, str(options.config))
    if options.broker:
        host, port = address(options.broker, "--broker")
        plan = replace(plan, broker=replace(plan.broker, host=host, port=port))
        refuse_exposed(plan.broker, "--broker")
    if plan.broker.tls:
        plan = replace(plan, broker=beside(plan.broker, options.config.parent))
    if options.page:
        host, port = address(options.page, "--page")
        plan = replace(plan, page=replace(plan.page, host=host, port=port))
    return replace(plan, influx=_influx(plan.influx, options))


def _influx(influx: Influx | None, options: Options) -> Influx | None:
    if options.influx_url:
        url = options.influx_url
        influx = replace(influx, url=url) if influx else Influx(url)
    if influx and options.influx_token_file:
        influx = replace(influx, token_file=options.influx_token_file)
    if influx and options.influx_bucket:
        influx = replace(influx, bucket=options.influx_bucket)
    return influx


def client_id(plan: Plan, service: str) -> str:
    """The fixed MQTT client id under which the broker keeps a service's session."""
    return f"kahriz-{plan.id}-{service}"


def address(text: str, what: str) -> tuple[str, int]:
    """'host:port', '[::1]:port' or ':port' taken apart."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ConfigError(what, "HOST:PORT", text)
    return host.strip("[]") or "127.0.0.1", int(port)


def earliest_ms(options: Options) -> int:
    """Readings older than this are not believed; --earliest lets an old record in."""
    if options.earliest is None:
        return EARLIEST_MS
    try:
        day = datetime.strptime(options.earliest, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigError("--earliest", "a day such as 2012-01-31", options.earliest) from error
    return int(day.timestamp()) * 1000


class KnownNodes:
    """Which nodes are ours: those of the plan's points and of the recorded deployments."""

    def __init__(self, plan: Plan, village_db: Path) -> None:
        self._plan = frozenset(plan.nodes)
        self._village_db = village_db
        self._deployed: frozenset[str] = frozenset()
        self._looked: list[tuple[int, int]] = []

    def __call__(self, node: str) -> bool:
        if node in self._plan or node in self._deployed:
            return True
        state = _state(self._village_db)
        if state != self._looked:
            self._looked = state
            self._deployed = deployed_nodes(self._village_db)
        return node in self._deployed


def _state(path: Path) -> list[tuple[int, int]]:
    """Changes with every commit to a store, in its file or in the log beside it."""
    found = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            stat = each.stat()
        except OSError:
            continue
        found.append((stat.st_mtime_ns, stat.st_size))
    return found


def deployed_nodes(village_db: Path) -> frozenset[str]:
    """Nodes of all deployments ever recorded; none while the village has not started."""
    if not village_db.exists():
        return frozenset()
    try:
        conn = sqlite3.connect(f"{village_db.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            return frozenset(n for (n,) in conn.execute("SELECT DISTINCT node FROM deployment"))
        finally:
            conn.close()
    except sqlite3.Error:  # just being made, or locked: the next unknown message looks again
        return frozenset()
