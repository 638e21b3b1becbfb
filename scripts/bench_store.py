# SPDX-License-Identifier: MIT
"""Ten years of twenty channels: how long the store opens, asks and draws.

The rows are made by SQL, in the order of the key; the file is kept in build/ for the next run.
"""

from __future__ import annotations

import contextlib
import http.client
import math
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kahriz_gateway.page import queries, span
from kahriz_gateway.page.quantities import QUANTITIES
from kahriz_gateway.village import store as village_store
from kahriz_sim.services import Child, free_port
from kahriz_water.plan import parse_plan
from scripts.bench_report import Figure, Report
from scripts.bench_rig import gateway_python, wait_until
from scripts.bench_site import DT_MS, Site

POINTS = 10
DT_S = 600
YEAR_ROWS = 52_596  # of one channel, ten minutes apart
FIRST_MS = 1_480_000_000_000


def big_store(report: Report, build: Path, years: int) -> None:
    """20 channels (10 weirs, stage and discharge), one value in ten minutes."""
    folder = build / f"store-{years}-years"
    rows = 2 * POINTS * YEAR_ROWS * years
    if not (folder / "made").exists():
        _make(folder, YEAR_ROWS * years)
    plan_text = (folder / "site.toml").read_text()
    plan = parse_plan(plan_text)
    path = folder / "village.db"
    name = f"{rows / 1e6:.1f} M rows"
    report.add(
        Figure(f"{name}: opens", [_seconds(lambda: _open(path)) for _ in range(5)], "s", "≤ 1", 1.0)
    )
    last = FIRST_MS + YEAR_ROWS * years * DT_S * 1000
    conn = village_store.open_village(path, read_only=True)
    flow = QUANTITIES["discharge_lps"]
    asked: dict[str, Callable[[], object]] = {
        "newest of all points": lambda: [queries.latest(conn, p.id, flow) for p in plan.points],
        "litres of a day": lambda: queries.volume(
            conn, "n003", flow, (last - 86_400_000, last), DT_S
        ),
    }
    for each in span.SPANS:
        window = span.window(each, last, None, DT_S)
        asked[f"chart of a {each}"] = lambda w=window: queries.buckets(  # type: ignore[misc]
            conn, "n003", flow, (w.start, w.end), w.bucket_ms
        )
    for what, ask in asked.items():
        ask()
        times = [1000 * _seconds(ask) for _ in range(9)]
        report.add(Figure(f"{name}: {what}", times, "ms", "≤ 50", 50.0))
    conn.close()
    _page(report, folder, name)


def _open(path: Path) -> None:
    with contextlib.closing(village_store.open_village(path)) as conn:
        queries.latest(conn, "n003", QUANTITIES["discharge_lps"])


def _page(report: Report, folder: Path, name: str) -> None:
    """The real page over it, as a browser asks."""
    port = free_port()
    nobody = free_port()
    argv = [
        gateway_python(), "-m", "kahriz", "gateway", "village",
        "--config", str(folder / "site.toml"), "--data", str(folder),
        "--broker", f"127.0.0.1:{nobody}", "--page", f"127.0.0.1:{port}",
    ]  # fmt: skip
    village = Child("village", argv, folder / "village.log")
    begin = time.monotonic()
    village.start()
    try:
        wait_until(lambda: _answers(port), "the page answers", patience_s=60.0)
        report.add(Figure(f"{name}: village up and page served", [time.monotonic() - begin], "s"))
        for path in ("/", "/history?point=n003&span=year", "/history?point=n003&span=day"):
            _get(port, path)
            times = [1000 * _seconds(lambda p=path: _get(port, p)) for _ in range(7)]  # type: ignore[misc]
            report.add(Figure(f"{name}: GET {path}", times, "ms"))
    finally:
        village.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _get(port: int, path: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", path)
    answer = link.getresponse()
    answer.read()
    link.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")


def _seconds(what: Callable[[], object]) -> float:
    begin = time.perf_counter()
    what()
    return time.perf_counter() - begin


def _make(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("village.db*"):
        old.unlink()
    site = Site(folder, POINTS)
    plan = site.toml.read_text().replace(f"dt_s = {DT_MS // 1000}", f"dt_s = {DT_S}")
    site.toml.write_text(plan)
    argv = [sys.executable, "-m", "kahriz", "gateway", "records", "import", str(site.records)]
    options = ["--config", str(site.toml), "--data", str(folder)]
    subprocess.run([*argv, *options], check=True, capture_output=True)
    conn = sqlite3.connect(folder / "village.db", isolation_level=None)
    conn.create_function("water", 1, lambda i: 12 + 3 * math.sin(i / 7000), deterministic=True)
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("BEGIN")
    for point in site.nodes:
        for quantity, factor in (("discharge_lps", 1.0), ("stage_m", 0.0125)):
            conn.execute(
                "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM i WHERE x < :rows)"
                " INSERT INTO value(point, quantity, ts, value, u, q)"
                " SELECT :point, :quantity, :first + x * :dt, :factor * water(x), 0.5, 1 FROM i",
                {
                    "rows": rows, "point": point, "quantity": quantity, "first": FIRST_MS,
                    "dt": DT_S * 1000, "factor": factor,
                },
            )  # fmt: skip
    conn.execute("COMMIT")
    conn.close()
    (folder / "made").write_text("")
