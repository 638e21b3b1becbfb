# SPDX-License-Identifier: MIT
"""How long the page takes on a store of ten years, what it sends first, what memory it takes.

    .venv/bin/python scripts/measure_page.py [--years 10] [--asks 15]

Six points every five minutes, ten quantities: written straight into village.db, then each screen is
asked for over HTTP from the gateway's own page in another process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.intake import store
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_water.turns import Plot, Rota

SITE = Path(__file__).parents[1] / "firmware/kahriz_sim/sites/banovshalar-gozlu/site.toml"
NOW = 1_795_417_500_000
YEAR_MS = 365 * 86_400_000
FLOWS, POOLS = ("outlet", "middle", "inlet", "fields"), ("pool", "tank")
SERIES = (
    *((point, "discharge_lps", 12.0) for point in FLOWS),
    *((point, "c", 14.0) for point in FLOWS[:2]),
    *((point, key, level) for point in POOLS for key, level in (("level_m", 2.0),
                                                                ("volume_m3", 400.0))),
)  # fmt: skip
PATHS = (
    "/", "/history?point=outlet&span=day", "/history?point=outlet&span=week",
    "/history?point=outlet&span=season", "/history?point=outlet&span=year",
    "/history?point=outlet&span=year&beside=year", "/turns", "/alarms", "/missing", "/call",
    "/help", "/api/now",
)  # fmt: skip
FIRST = ("/", "/static/page.css", "/static/refresh.js", "/static/drop.svg")
SERVE = """
import sys, uvicorn
from pathlib import Path
from kahriz_gateway.page.app import create_app
from kahriz_water.plan import parse_plan
class Fixed:
    def now_ms(self): return {now}
    def trusted(self): return True
    def not_before(self, ms): pass
site = Path({site!r})
app = create_app(parse_plan(site.read_text(), str(site)), Path({data!r}), Fixed())
uvicorn.run(app, host="127.0.0.1", port={port}, log_level="warning")
"""


def fill(data: Path, years: float) -> int:
    """Years of readings, made by SQLite itself; how many."""
    conn = village_store.open_village(data / "village.db")
    conn.execute("BEGIN")
    rows = 0
    for point, key, level in SERIES:
        conn.execute(
            "WITH RECURSIVE t(ts) AS (SELECT ? UNION ALL SELECT ts+300000 FROM t WHERE ts<?)"
            " INSERT INTO value(point, quantity, ts, value, u, q, u_random, manual)"
            " SELECT ?, ?, ts, ?*(1+0.1*((ts/300000)%97)/97.0), 0.4, 1, NULL, 0 FROM t",
            (NOW - int(years * YEAR_MS), NOW - 600_000, point, key, level),
        )
        rows += conn.execute("SELECT changes()").fetchone()[0]
    conn.execute("COMMIT")
    conn.close()
    store.open_store(data / "readings.db", "banovshalar-gozlu").close()
    plots = tuple(Plot(f"A{n}", 120.0) for n in range(12))
    with book.open_book(data) as kept:
        rota = Rota(NOW - 300 * 86_400_000, plots, 12.0)
        book.write(kept, NOW, "", "committee", "rota", turn_book.body_of(rota, "outlet"))
    return rows


def ask(address: str, path: str) -> tuple[float, int]:
    """Milliseconds, and bytes as they go over the air."""
    request = urllib.request.Request(address + path, headers={"Accept-Encoding": "gzip"})
    start = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        size = len(answer.read())
    return (time.perf_counter() - start) * 1000, size


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def main() -> None:
    """Fill, serve, ask, say."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--years", type=float, default=10.0)
    given.add_argument("--asks", type=int, default=15)
    given.add_argument("--port", type=int, default=18_080)
    asked = given.parse_args()
    parse_plan(SITE.read_text(encoding="utf-8"), str(SITE))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        rows = fill(data, asked.years)
        size = (data / "village.db").stat().st_size / 1e6
        print(f"{rows} values of {asked.years:g} years, {size:.0f} MB")
        script = SERVE.format(now=NOW, site=str(SITE), data=str(data), port=asked.port)
        with subprocess.Popen([sys.executable, "-c", script], env=os.environ) as page:
            try:
                _measure(f"http://127.0.0.1:{asked.port}", page.pid, asked.asks)
            finally:
                page.terminate()


def _measure(address: str, pid: int, asks: int) -> None:
    for _ in range(200):
        try:
            ask(address, "/static/drop.svg")
            break
        except OSError:
            time.sleep(0.1)
    started = memory_mb(pid)
    first = sum(ask(address, path)[1] for path in FIRST)
    print(f"first load {first / 1000:.1f} kB ({', '.join(FIRST)})")
    for path in PATHS:
        times = [ask(address, path)[0] for _ in range(asks)]
        print(f"{statistics.median(times):7.1f} ms median  {max(times):7.1f} ms most  {path}")
    bare = "import kahriz_gateway.village.village as v; print(open('/proc/self/status').read())"
    alone = subprocess.run([sys.executable, "-c", bare], capture_output=True, text=True, check=True)
    without = int(alone.stdout.partition("VmHWM:")[2].split()[0]) / 1000
    print(
        f"memory {started:.0f} MB at the start, {memory_mb(pid):.0f} MB at most;"
        f" a village without a page {without:.0f} MB"
    )


if __name__ == "__main__":
    main()
