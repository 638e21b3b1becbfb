# SPDX-License-Identifier: MIT
"""What it costs to be up, and what is lost when it is not: memory, latency, kills, outages."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kahriz_wire.messages import Hello, decode_receipt, encode_hello
from scripts.bench_mqtt import Link, Message
from scripts.bench_nodes import JOURNAL, Nodes
from scripts.bench_report import Figure, Report
from scripts.bench_rig import Rig, cpu_s, forget_peak, kill, memory_mb, rig, wait_until
from scripts.bench_site import ROWS, SITE

NODES = 20


def start_and_size(report: Report, build: Path, runs: int) -> None:
    """From exec to SUBACK; memory of both services when nothing happens; hello → receipt."""
    with (
        tempfile.TemporaryDirectory(dir=build) as folder,
        rig(Path(folder), NODES, influx=True) as each,
    ):
        starts, costs = [], []
        for _ in range(runs):
            starts.append(each.start_intake())
            costs.append(cpu_s(each.intake.pid))
            each.intake.stop()
        report.add(Figure("start of intake to SUBACK", starts, "s", "≤ 0.5", most=0.5))
        report.add(Figure("… CPU of it", costs, "s"))
        each.start()
        with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
            link.publish(each.site.load(NODES).messages)
            wait_until(lambda: each.passed_on(NODES * ROWS), "a first day is through")
        time.sleep(1.0)
        own = [memory_mb(each.intake.pid)]
        report.add(Figure("memory of intake, idle", own, "MB", "≤ 30", most=30))
        own = [memory_mb(each.village.pid)]
        name = "memory of village with InfluxDB, no page, idle"
        report.add(Figure(name, own, "MB", "≤ 60", most=60))
        latencies = _latencies(each, 20 * runs)
        report.add(Figure("hello → receipt, on the loopback", latencies, "ms"))


def _latencies(each: Rig, count: int) -> list[float]:
    heard: list[str] = []

    def on_message(message: Message) -> None:
        heard.append(decode_receipt(message.payload).s)

    found = []
    with contextlib.closing(Link(each.broker.port, "bench-lat", on_message=on_message)) as link:
        link.subscribe(f"kahriz/v1/{SITE}/n000/receipt")
        for i in range(count):
            session = f"{i + 0xA0000:08x}"
            begin = time.monotonic()
            hello = encode_hello(Hello(session, JOURNAL, 1, ROWS + 1))
            link.publish([(f"kahriz/v1/{SITE}/n000/hello", hello)])
            while session not in heard and time.monotonic() - begin < 10:
                link.listen_once()
            found.append(1000 * (time.monotonic() - begin))
    return found


def outage(report: Report, build: Path, seconds: float, per_s: int) -> None:
    """InfluxDB is killed under load and comes back: memory peaks, and nothing is lost."""
    with (
        tempfile.TemporaryDirectory(dir=build) as folder,
        rig(Path(folder), NODES, influx=True) as each,
    ):
        assert each.influx is not None
        each.start()
        nodes = Nodes(each.broker.port, each.site.nodes)
        nodes.send(per_s, per_s, {})
        wait_until(lambda: each.passed_on(per_s * ROWS), "warm")
        idle = memory_mb(each.intake.pid), memory_mb(each.village.pid)
        for pid in (each.intake.pid, each.village.pid):
            forget_peak(pid)
        each.influx.kill9()
        nodes.send(int(seconds * per_s), per_s, {})
        each.influx.restart()
        nodes.settle()
        rows = nodes.sent * ROWS
        wait_until(lambda: each.passed_on(rows), "InfluxDB is filled up again", 0.2)
        peaks = memory_mb(each.intake.pid, "VmHWM"), memory_mb(each.village.pid, "VmHWM")
        what = f"{seconds:g} s without InfluxDB at {per_s} msg/s"
        for name, low, high in zip(("intake", "village"), idle, peaks, strict=True):
            figure = Figure(f"{what}: peak of {name} / before", [high / low], "×", "≤ 1.5", 1.5)
            report.add(figure)
        _count(report, each, what, rows)
        nodes.close()


def month(report: Report, build: Path, days: int) -> None:
    """Six nodes, so many days of hourly messages, and no InfluxDB from the first to the last."""
    with (
        tempfile.TemporaryDirectory(dir=build) as folder,
        rig(Path(folder), 6, influx=True) as each,
    ):
        assert each.influx is not None
        each.influx.kill9()
        each.start()
        load = each.site.load(6 * 24 * days)
        with contextlib.closing(Link(each.broker.port, "bench-load")) as link:
            link.publish(load.messages)
            link.settle()
        seen = "SELECT rev FROM cursor WHERE name='village'"
        wait_until(lambda: each.ask("village.db", seen) >= load.rows, "the village has all", 0.1)
        what = f"{days} days of six nodes without InfluxDB"
        size = [memory_mb(each.village.pid, "VmHWM")]
        report.add(Figure(f"{what}: memory of village at its peak", size, "MB"))
        begin = time.monotonic()
        each.influx.restart()
        wait_until(lambda: each.passed_on(load.rows), "InfluxDB is filled up", 0.1)
        report.add(Figure(f"{what}: filled up after", [time.monotonic() - begin], "s"))
        _count(report, each, what, load.rows)


def kills(report: Report, build: Path, per_s: int, count: int, gap: int) -> None:
    """kill -9 of intake, village, broker and all of them in turn, while nodes go on."""
    with (
        tempfile.TemporaryDirectory(dir=build) as folder,
        rig(Path(folder), NODES, influx=True) as each,
    ):
        each.start()
        nodes = Nodes(each.broker.port, each.site.nodes)
        deeds = {gap * (i + 1): _deed(each, i) for i in range(count)}
        nodes.send(gap * (count + 1), per_s, deeds)
        nodes.settle()
        rows = nodes.sent * ROWS
        wait_until(lambda: each.passed_on(rows), "InfluxDB has all", 0.2)
        _count(report, each, f"{count} kills at {per_s} msg/s", rows)
        nodes.close()


def _deed(each: Rig, i: int) -> Callable[[], None]:
    def intake() -> None:
        kill(each.intake)
        each.intake.start()

    def village() -> None:
        kill(each.village)
        each.village.start()

    def broker() -> None:
        each.broker.kill9()
        each.broker.restart()

    def everything() -> None:
        kill(each.intake)
        kill(each.village)
        broker()
        each.intake.start()
        each.village.start()

    return (intake, village, broker, everything)[i % 4]


def _count(report: Report, each: Rig, what: str, rows: int) -> None:
    lost, doubled = count_rows(each, rows)
    report.add(Figure(f"{what}: lost of {rows:,} rows", [lost], "rows", "0", most=0))
    report.add(Figure(f"{what}: doubled", [doubled], "rows", "0", most=0))


def count_rows(each: Rig, rows: int) -> tuple[int, int]:
    """(lost, doubled): every row once in the store, every point once in InfluxDB."""
    kept = each.ask("readings.db", "SELECT count(*) FROM reading")
    distinct = "SELECT count(*) FROM (SELECT DISTINCT node, journal, n FROM reading)"
    single = each.ask("readings.db", distinct)
    points = each.in_influx() if each.influx else rows
    return (rows - single) + max(0, rows - points), (kept - single) + max(0, points - rows)
