# SPDX-License-Identifier: MIT
"""`kahriz gateway check`: what a gateway needs, each with its mend."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import asdict, dataclass
from typing import Any

from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.config import Options, deployed_nodes, read_plan
from kahriz_gateway.store import StoreError, gaps, get_meta, read_store
from kahriz_water.plan import Plan
from kahriz_water.strict import ConfigError

FREE_MB = 200  # below this a night of InfluxDB or logs can fill the card
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """One check: passed or not, and what it found or the mend."""

    name: str
    passed: bool
    says: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def checks(options: Options) -> list[Result]:
    """All checks, the plan first: without it nothing else can be judged."""
    try:
        plan = read_plan(options)
    except ConfigError as error:
        return [Result("plan", False, str(error))]
    return [
        Result("plan", True, f"{plan.id}: {len(plan.points)} points, {len(plan.nodes)} nodes"),
        _folder(options),
        _clock(options),
        _broker(plan),
        _store(options, plan),
        _deployments(options, plan),
    ]


def _folder(options: Options) -> Result:
    parent = options.data if options.data.exists() else options.data.absolute().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        return Result("data", False, f"{options.data} cannot be written: choose another --data")
    free_mb = shutil.disk_usage(parent).free // _MB
    says = f"{free_mb} MB free in {options.data}"
    if free_mb < FREE_MB:
        return Result("data", False, f"{says}: free at least {FREE_MB} MB")
    return Result("data", True, says)


def _clock(options: Options) -> Result:
    try:
        clock = open_clock(options.clock_file)
    except ClockError as error:
        return Result("clock", False, str(error))
    if clock.trusted():
        return Result("clock", True, "can be trusted")
    return Result(
        "clock", False, "not set: connect the Internet once, or fit a clock chip (DS3231)"
    )


def _broker(plan: Plan) -> Result:
    where = f"{plan.broker.host}:{plan.broker.port}"
    try:
        socket.create_connection((plan.broker.host, plan.broker.port), 3).close()
    except OSError as error:
        return Result("broker", False, f"nobody at {where} ({error}): start mosquitto")
    return Result("broker", True, f"somebody listens at {where}")


def _store(options: Options, plan: Plan) -> Result:
    path = options.data / "readings.db"
    if not path.exists():
        return Result("store", True, "not made yet; intake makes it")
    try:
        conn = read_store(path)
    except StoreError as error:
        return Result("store", False, str(error))
    site = get_meta(conn, "site")
    if site != plan.id:
        return Result("store", False, f"{path} is of {site}: choose another --data")
    verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        return Result("store", False, f"{path} is damaged ({verdict}): restore last night's backup")
    missing = sum(gap.count for gap in gaps(conn))
    return Result("store", True, f"store {get_meta(conn, 'store')}, {missing} readings missing")


def _deployments(options: Options, plan: Plan) -> Result:
    deployed = deployed_nodes(options.data / "village.db")
    absent = sorted(set(plan.nodes) - deployed)
    if absent:
        return Result(
            "records",
            False,
            f"no deployment of {', '.join(absent)}: `kahriz gateway records import`",
        )
    return Result("records", True, f"{len(deployed)} nodes deployed")
