# SPDX-License-Identifier: MIT
"""A year of twenty kahrizes in a real InfluxDB: how long each query of the dashboards takes.

python scripts/bench_dashboards.py --sites 20 --days 365
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from kahriz_server import dashboards
from kahriz_server.dashboards import kahriz
from kahriz_server.panelcheck import expand_and_run
from kahriz_sim.services import Influx, start_influx

STEP_MS = 300_000
T1 = 1_795_000_000_000 - 1_795_000_000_000 % STEP_MS
POINTS = ("outlet", "middle", "inlet")


def lines(site: str, days: int) -> Iterator[str]:
    """What the gateway writes: values each five minutes, health each hour, an alarm a month."""
    start = T1 - days * 86_400_000
    for ts in range(start, T1, STEP_MS):
        wave = math.sin(ts / 86_400_000)
        for k, point in enumerate(POINTS):
            lps = 12.0 - k + 0.2 * wave
            yield (
                f"water,node={point},point={point},site={site} discharge_lps={lps!r},"
                f"discharge_u_lps=0.4,discharge_lps_q=1.0,stage_m=0.15,stage_m_q=1.0,q=1.0 {ts}"
            )
    for ts in range(start, T1, 3_600_000):
        for node in POINTS:
            figures = "battery_v=3.3,rssi_dbm=-67.0,heap=90000.0,boot=3.0,missing_rows=0.0"
            ledger = "measured_rows=9.0,stored_rows=9.0,backlog_rows=0.0,lost_rows=0.0"
            yield f"node_health,node={node},site={site} {figures},{ledger} {ts}"
        own = f"backlog_rows=0.0,heard_ms={float(ts)!r},quarantined_messages=0.0"
        yield f"node_health,node=gateway,site={site} {own} {ts}"
    for n, ts in enumerate(range(start, T1, 30 * 86_400_000)):
        head = f"alarm,alarm={n},kind=leak,place=upper,site={site}"
        yield f"{head} active=1.0,lps=2.0,raised_ms={float(ts)!r},open_s=0.0 {ts}"
        yield f"{head} active=0.0,m3=60.0,open_s=9000.0,repair_s=7200.0 {ts + 9_000_000}"


def fill(influx: Influx, sites: int, days: int) -> int:
    count = 0
    for n in range(sites):
        batch: list[str] = []
        for line in lines(f"kahriz-{n:02}", days):
            batch.append(line)
            if len(batch) == 5000:
                _send(influx, batch)
                count += len(batch)
                batch = []
        _send(influx, batch)
        count += len(batch)
    return count


def _send(influx: Influx, batch: list[str]) -> None:
    if not batch:
        return
    url = f"{influx.url}/api/v2/write?bucket={influx.bucket}&precision=ms"
    request = urllib.request.Request(url, "\n".join(batch).encode(), method="POST")
    key = base64.b64encode(f"{influx.user}:{influx.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {key}")
    urllib.request.urlopen(request, timeout=60).close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sites", type=int, default=20)
    options.add_argument("--days", type=int, default=365)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        influx = start_influx(Path(folder))
        try:
            start_s = time.monotonic()
            count = fill(influx, given.sites, given.days)
            took_s = round(time.monotonic() - start_s, 1)
            said = {"lines": count, "fill_s": took_s, **_size(influx, Path(folder))}
            print(json.dumps(said), flush=True)
            for days in (7, given.days):
                _ask(influx, days)
        finally:
            influx.stop()


def _size(influx: Influx, folder: Path) -> dict[str, int]:
    """Megabytes on the disk, and of influxd at its largest."""
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    status = Path(f"/proc/{influx.pids[0]}/status").read_text(encoding="utf-8")
    peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {"disk_mb": disk // 1_000_000, "peak_mb": int(peak_kb) // 1000}


def _ask(influx: Influx, days: int) -> None:
    auth = (influx.user, influx.password)
    for name, build in dashboards.PAGES.items():
        board = build("en", kahriz.REACHES)
        found = expand_and_run(board, influx.url, auth, T1 - days * 86_400_000, T1)
        slow = sorted(found, key=lambda each: -each.seconds)[:2]
        worst = {f"{each.title} {each.ref}": round(each.seconds, 2) for each in slow}
        errors = [each.error for each in found if each.error]
        print(json.dumps({"page": name, "days": days, "slowest_s": worst, "errors": errors}))


if __name__ == "__main__":
    main()
