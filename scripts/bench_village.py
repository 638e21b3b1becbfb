# SPDX-License-Identifier: MIT
"""Where the village's CPU goes: its own parts one after another in this process, by one clock.

Intake's judgement, interpretation with quality flags, detection, and each output, in microseconds
of CPU a message of twelve rows. No broker is needed; the InfluxDB is a real one.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kahriz_gateway.clock import SystemClock
from kahriz_gateway.intake import store
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.outputs import Surroundings, outputs
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.interpret import Interpreter
from kahriz_gateway.village.watch import Watch
from kahriz_sim.services import start_influx
from kahriz_water.plan import parse_plan
from scripts.bench_report import Figure, Report
from scripts.bench_site import Site

NODES = 20
GROUP = 100  # messages a transaction of intake


def shares(report: Report, build: Path, messages: int, runs: int) -> None:
    """CPU of each part, so often from an empty store."""
    found: dict[str, list[float]] = {}
    part: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=build) as folder:
            spent = _once(Path(folder), messages)
        part.append(100 * spent["detection"] / sum(spent.values()))
        for name, cpu_s in spent.items():
            found.setdefault(name, []).append(1e6 * cpu_s / messages)
    for name, values in found.items():
        report.add(Figure(f"CPU of the parts: {name}", values, "µs/msg"))
    report.add(Figure("CPU of the parts: detection of them all", part, "%", "≤ 5", most=5))


def _once(folder: Path, messages: int) -> dict[str, float]:
    site = Site(folder, NODES)
    options = ["--config", str(site.toml), "--data", str(folder)]
    argv = [sys.executable, "-m", "kahriz", "gateway", "records", "import", str(site.records)]
    subprocess.run([*argv, *options], check=True, capture_output=True)
    influx = start_influx(folder)
    try:
        where = f'\n[influx]\nurl = "{influx.login_url}"\nbucket = "kahriz"\norg = "k"\n'
        plan = parse_plan(site.toml.read_text() + where)
        spent = {"intake without the broker": _intake(folder, site, messages)}
        with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
            watch = Watch(conn, plan, {})
            interpreter = Interpreter(conn, plan)
            interpreter.look_at_records()
            spent |= {"interpretation, flags, store": 0.0, "detection": 0.0}
            with contextlib.closing(store.read_store(folder / "readings.db")) as readings:
                took = 1
                while took:
                    with village_store.transaction(conn):
                        begin = time.process_time()
                        took = interpreter.take(readings)
                        middle = time.process_time()
                        watch.follow(interpreter.last_ts, 0, sure=False)
                        end = time.process_time()
                    spent["interpretation, flags, store"] += middle - begin
                    spent["detection"] += end - middle
            around = Surroundings(folder, lambda topic, body: True)
            for name, output in outputs(plan, around).items():
                follower = Follower(name, output, folder)
                spent[f"output {name}"] = _cpu_s(lambda f=follower: _until_done(f, conn))  # type: ignore[misc]
        return spent
    finally:
        influx.stop()


def _until_done(follower: Follower, conn: sqlite3.Connection) -> None:
    while follower.step(conn):
        pass


def _intake(folder: Path, site: Site, messages: int) -> float:
    conn = store.open_store(folder / "readings.db", "bench")
    clock = SystemClock()
    accept = Accept(conn, "bench", lambda node: True, clock)

    def take(group: Sequence[tuple[str, bytes]]) -> None:
        conn.execute("BEGIN IMMEDIATE")
        for topic, payload in group:
            accept.message(topic, payload)
        accept.books.save(clock.now_ms())
        conn.execute("COMMIT")

    take(site.hellos("5be1c07a"))
    load = site.load(messages).messages

    def take_all() -> None:
        for at in range(0, messages, GROUP):
            take(load[at : at + GROUP])

    with contextlib.closing(conn):
        return _cpu_s(take_all)


def _cpu_s(what: Callable[[], object]) -> float:
    begin = time.process_time()
    what()
    return time.process_time() - begin
