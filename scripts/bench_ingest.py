# SPDX-License-Identifier: MIT
"""How fast, and for how much CPU: the whole chain beside Node-RED, intake beside a bare paho."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kahriz_sim.services import Influx
from scripts.bench_mqtt import Link
from scripts.bench_nodered import NodeRed, install
from scripts.bench_report import Figure, Report
from scripts.bench_rig import PATIENCE_S, Rig, cpu_s, memory_mb, rig, wait_until
from scripts.bench_site import DT_MS, FIRST_MS, ROWS, SITE

NODES = 20
PAHO = Path(__file__).with_name("bench_paho.py")


@dataclass
class Run:
    """One run through a chain: messages a second, CPU seconds a message, memory at its peak."""

    rate: float
    cpu_s: float
    peak_mb: float
    mean: float  # of one quantity in InfluxDB: both have written the same


LOADS = {"weir": "discharge_lps", "pressure": "pressure_bar"}


def whole_chain(report: Report, build: Path, messages: int, runs: int, kind: str) -> None:
    """MQTT → durable → InfluxDB, our gateway and Node-RED in turn."""
    why = install(build / "node-red")
    ours: list[tuple[Run, float]] = []
    theirs: list[Run] = []
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory(dir=build) as folder,
            rig(Path(folder), NODES, influx=True, kind=kind) as each,
        ):
            ours.append(_ours(each, messages, LOADS[kind]))
            if why is None:
                theirs.append(
                    _node_red(each, build, Path(folder), messages, LOADS[kind], 4 * messages)
                )
    what = "weir" if kind == "weir" else "pipe, stored as it is"
    mine = [run for run, _ in ours]
    report.add(
        Figure(f"{what}: 12-row messages to InfluxDB, ours", [r.rate for r in mine], "msg/s")
    )
    report.add(Figure(f"{what}: … CPU, ours", [1e6 * r.cpu_s for r in mine], "µs/msg"))
    report.add(Figure(f"{what}: … of it intake", [1e6 * share for _, share in ours], "µs/msg"))
    report.add(
        Figure(f"{what}: … memory of both services at their peak", [r.peak_mb for r in mine], "MB")
    )
    if why is not None:
        report.leave_out(f"Node-RED: {why}")
        return
    report.add(Figure(f"{what}: the same lines by Node-RED", [r.rate for r in theirs], "msg/s"))
    report.add(Figure(f"{what}: … CPU, Node-RED", [1e6 * r.cpu_s for r in theirs], "µs/msg"))
    report.add(Figure(f"{what}: … memory at its peak, Node-RED", [r.peak_mb for r in theirs], "MB"))
    pairs = list(zip(mine, theirs, strict=True))
    for one, other in pairs:
        if abs(one.mean - other.mean) > 1e-3 * abs(one.mean):
            raise RuntimeError(f"not the same water: {one.mean} and {other.mean}")
    rate = [one.rate / other.rate for one, other in pairs]
    report.add(Figure(f"{what}: rate, ours / Node-RED", rate, "×", "≥ 1.5", least=1.5))
    cost = [one.cpu_s / other.cpu_s for one, other in pairs]
    report.add(Figure(f"{what}: CPU a message, ours / Node-RED", cost, "×", "≤ 0.4", most=0.4))


def _ours(each: Rig, messages: int, quantity: str) -> tuple[Run, float]:
    """Until the last point is in InfluxDB; the CPU seconds a message of intake beside it."""
    each.start()
    with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
        link.publish(each.site.hellos("5be1c07a"))
        load = each.site.load(messages)
        pids = (each.intake.pid, each.village.pid)
        wait_until(lambda: b"page" in each.village.log.read_bytes(), "the village is up")
        before = [cpu_s(pid) for pid in pids]
        begin = time.monotonic()
        link.publish(load.messages)
        wait_until(lambda: each.stored() >= load.rows, "all is stored", 0.05)
        wait_until(lambda: each.passed_on(load.rows), "InfluxDB has all", 0.1)
        took = time.monotonic() - begin
        costs = [(cpu_s(pid) - then) / messages for pid, then in zip(pids, before, strict=True)]
    peak = sum(memory_mb(pid, "VmHWM") for pid in pids)
    found = each.in_influx()
    if found != load.rows:
        raise RuntimeError(f"{found} points in InfluxDB of {load.rows}")
    each.village.stop()
    each.leave()
    assert each.influx is not None
    mean = _mean(each.influx, quantity, "kahriz", load.rows)
    return Run(messages / took, sum(costs), peak, mean), costs[0]


def _node_red(each: Rig, build: Path, folder: Path, same: int, quantity: str, messages: int) -> Run:
    """The next messages of the same water; `same` of them are compared."""
    assert each.influx is not None
    peer = NodeRed(build / "node-red", folder, each.broker.port, each.influx, each.site.kind)
    try:
        each.site.rewind()  # the very same rows, then more of them
        load = each.site.load(messages)
        with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
            before = cpu_s(peer.pid)
            begin = time.monotonic()
            link.publish(load.messages)
            wait_until(lambda: peer.points() >= load.rows, "Node-RED has written all", 0.2)
            took = time.monotonic() - begin
        cost, peak = (cpu_s(peer.pid) - before) / messages, memory_mb(peer.pid, "VmHWM")
        mean = _mean(each.influx, quantity, "nodered", same * ROWS)
        return Run(messages / took, cost, peak, mean)
    finally:
        peer.stop()


def _mean(influx: Influx, quantity: str, database: str, rows: int) -> float:
    """Of the first so many rows of all nodes together."""
    until_ms = FIRST_MS + (rows // NODES + 1) * DT_MS
    asked = f'SELECT mean("{quantity}") FROM "water" WHERE time < {until_ms}ms'  # noqa: S608
    return float(influx.query(asked, database)[0]["series"][0]["values"][0][1])


def receive_and_store(report: Report, build: Path, messages: int, runs: int) -> None:
    """Intake (judged, in the ledger, receipted) beside paho that stores the bytes or nothing."""
    rates: dict[str, list[float]] = {"intake": [], "stored": [], "bare": []}
    costs: dict[str, list[float]] = {"intake": [], "stored": [], "bare": []}
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory(dir=build) as folder,
            rig(Path(folder), NODES, influx=False) as each,
        ):
            each.start_intake()
            with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
                link.publish(each.site.hellos("5be1c07a"))
                load = each.site.load(messages)
                before, begin = cpu_s(each.intake.pid), time.monotonic()
                link.publish(load.messages)
                wait_until(lambda n=load.rows, e=each: e.stored() >= n, "stored")  # type: ignore[misc]
                rates["intake"].append(messages / (time.monotonic() - begin))
                costs["intake"].append((cpu_s(each.intake.pid) - before) / messages)
            each.leave()
            for name, store in (("stored", str(Path(folder) / "peer.db")), ("bare", "-")):
                rate, cost = _paho(each, messages, store)
                rates[name].append(rate)
                costs[name].append(cost)
    report.add(Figure("intake: receive, judge, store", rates["intake"], "msg/s"))
    report.add(Figure("bare paho, SQLite synchronous=FULL", rates["stored"], "msg/s"))
    report.add(Figure("bare paho, stores nothing", rates["bare"], "msg/s"))
    part = [100 * a / b for a, b in zip(rates["intake"], rates["stored"], strict=True)]
    report.add(Figure("intake / paho with SQLite, rate", part, "%", "≥ 50", least=50))
    for name, what in (("intake", "intake"), ("stored", "paho with SQLite")):
        report.add(Figure(f"… CPU, {what}", [1e6 * c for c in costs[name]], "µs/msg"))


def _paho(each: Rig, messages: int, store: str) -> tuple[float, float]:
    argv = [sys.executable, str(PAHO), str(each.broker.port), f"kahriz/v1/{SITE}/+/up/+"]
    with subprocess.Popen([*argv, str(messages), store], stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        if peer.stdout.readline().strip() != "ready":
            raise RuntimeError("paho did not subscribe")
        with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
            link.publish(each.site.load(messages).messages)
            _, seconds, cpu = peer.stdout.readline().split()
    return messages / float(seconds), float(cpu) / messages


def backlog(report: Report, build: Path, queued: int, live_per_s: int, runs: int) -> None:
    """The broker kept everything while intake was away; live traffic goes on meanwhile."""
    parts = []
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory(dir=build) as folder,
            rig(Path(folder), NODES, influx=False) as each,
        ):
            each.start_intake()  # the broker keeps its session from now on
            with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
                sustained = _rate(each, link, queued)
                each.intake.stop()
                load = each.site.load(queued)
                link.publish(load.messages)
                link.settle()
                until = each.stored() + load.rows
                each.start_intake()  # its start has a figure of its own
                before, begin = each.stored(), time.monotonic()
                sent = 0
                while each.stored() < until:
                    if time.monotonic() - begin > PATIENCE_S:
                        raise TimeoutError("the backlog does not come to an end")
                    due = int((time.monotonic() - begin) * live_per_s)
                    link.publish(each.site.load(due - sent).messages)
                    sent = max(sent, due)
                    link.listen(0.05)
                took = time.monotonic() - begin
                parts.append(100 * ((each.stored() - before) / 12 / took) / sustained)
    name = f"a backlog of {queued:,} messages drains beside {live_per_s}/s, of the sustained rate"
    report.add(Figure(name, parts, "%", "≥ 80", least=80))


def _rate(each: Rig, link: Link, messages: int) -> float:
    load = each.site.load(messages)
    before, begin = each.stored(), time.monotonic()
    link.publish(load.messages)
    wait_until(lambda: each.stored() >= before + load.rows, "stored")
    return messages / (time.monotonic() - begin)
