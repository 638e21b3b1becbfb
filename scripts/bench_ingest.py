# SPDX-License-Identifier: MIT
"""How fast, and for how much CPU: the whole chain beside Node-RED, intake beside a bare paho."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.bench_mqtt import Link
from scripts.bench_nodered import NodeRed, install
from scripts.bench_report import Figure, Report
from scripts.bench_rig import PATIENCE_S, SITE, Rig, cpu_s, memory_mb, rig, wait_until

NODES = 20
PAHO = Path(__file__).with_name("bench_paho.py")


def whole_chain(report: Report, build: Path, messages: int, runs: int) -> None:
    """MQTT → durable → InfluxDB, our gateway and Node-RED in turn."""
    why = install(build / "node-red")
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float, float]] = []
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory(dir=build) as folder,
            rig(Path(folder), NODES, influx=True) as each,
        ):
            ours.append(_ours(each, messages))
            if why is None:
                theirs.append(_node_red(each, build, Path(folder), messages * 4))
    report.add(Figure("12-row messages to InfluxDB, ours", [a for a, _ in ours], "msg/s"))
    report.add(Figure("… CPU, ours", [1e6 * b for _, b in ours], "µs/msg"))
    if why is not None:
        report.leave_out(f"Node-RED: {why}")
        return
    report.add(Figure("12-row messages to InfluxDB, Node-RED", [a for a, *_ in theirs], "msg/s"))
    report.add(Figure("… CPU, Node-RED", [1e6 * b for _, b, _ in theirs], "µs/msg"))
    report.add(Figure("… memory at its peak, Node-RED", [c for *_, c in theirs], "MB"))
    pairs = list(zip(ours, theirs, strict=True))
    rate = [mine[0] / other[0] for mine, other in pairs]
    report.add(Figure("rate, ours / Node-RED", rate, "×", "≥ 1.5", least=1.5))
    cost = [mine[1] / other[1] for mine, other in pairs]
    report.add(Figure("CPU a message, ours / Node-RED", cost, "×", "≤ 0.4", most=0.4))


def _ours(each: Rig, messages: int) -> tuple[float, float]:
    """Messages a second and CPU seconds a message, until the last point is in InfluxDB."""
    each.start()
    with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
        link.publish(each.site.hellos("5be1c07a"))
        load = each.site.load(messages)
        pids = (each.intake.pid, each.village.pid)
        wait_until(lambda: b"page" in each.village.log.read_bytes(), "the village is up")
        before = sum(map(cpu_s, pids))
        begin = time.monotonic()
        link.publish(load.messages)
        wait_until(lambda: each.stored() >= load.rows, "all is stored", 0.05)
        wait_until(lambda: each.passed_on(load.rows), "InfluxDB has all", 0.1)
        took = time.monotonic() - begin
        cost = (sum(map(cpu_s, pids)) - before) / messages
    found = each.in_influx()
    if found != load.rows:
        raise RuntimeError(f"{found} points in InfluxDB of {load.rows}")
    each.village.stop()
    each.intake.stop()
    return messages / took, cost


def _node_red(each: Rig, build: Path, folder: Path, messages: int) -> tuple[float, float, float]:
    assert each.influx is not None
    peer = NodeRed(build / "node-red", folder, each.broker.port, each.influx)
    try:
        load = each.site.load(messages)
        with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
            before = cpu_s(peer.pid)
            begin = time.monotonic()
            link.publish(load.messages)
            wait_until(lambda: peer.points() >= load.rows, "Node-RED has written all", 0.2)
            took = time.monotonic() - begin
        return messages / took, (cpu_s(peer.pid) - before) / messages, memory_mb(peer.pid, "VmHWM")
    finally:
        peer.stop()


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
            each.intake.stop()
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
                before = each.stored()
                begin = time.monotonic()
                each.start_intake()
                sent = 0
                while (each.stored() - before) < load.rows:
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
