# SPDX-License-Identifier: MIT
"""What one process of the office carries: heartbeats, refill, history, reports.

    .venv/bin/python scripts/measure_office.py [--days 365] [--beats 5000] [--json]

One kahriz of three weirs, a reading in five minutes, stage and discharge. CPU seconds are the
kernel's own count for the processes that worked, so that a busy machine changes them little; of
InfluxDB's work nothing is counted here (bench_dashboards.py looks at it).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kahriz_alarms.heartbeat import beat, key
from kahriz_gateway.village import store as village_store
from kahriz_server.watch import store as office_store
from kahriz_server.watch.accept import Acceptor
from kahriz_sim.services import start_influx
from kahriz_water.value import Value

SITE = Path(__file__).parents[1] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
KAHRIZ = (sys.executable, "-m", "kahriz")
END, STEP_MS, DAY_MS = 1_795_046_400_000, 300_000, 86_400_000  # 2026-11-19 in Baku
WEIRS = (("outlet", 12.0), ("middle", 11.5), ("inlet", 11.0))


@dataclass(frozen=True)
class Measured:
    """What is printed."""

    days: int
    values: int
    store_mb: float
    beats_a_cpu_s: float
    refill_cpu_s: float
    refill_wall_s: float
    replay_cpu_s: float
    replay_wall_s: float
    report_cpu_s: float
    report_wall_s: float


class Spent:
    """CPU and wall seconds of this process and those it waited for."""

    def __enter__(self) -> Spent:
        self._cpu, self._wall = _cpu_s(), time.monotonic()
        self.cpu = self.wall = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = _cpu_s() - self._cpu, time.monotonic() - self._wall


def _cpu_s() -> float:
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def water(days: int) -> Iterator[Value]:
    for ts in range(END - days * DAY_MS, END, STEP_MS):
        wave = 0.2 * math.sin(ts / DAY_MS) + 0.01 * (ts // STEP_MS % 3)
        for point, mean in WEIRS:
            yield Value(point, "discharge_lps", ts, mean + wave, 0.4, 1)
            yield Value(point, "stage_m", ts, ((mean + wave) / 1380) ** 0.4, 0.003, 1)


def beats_a_second(folder: Path, count: int) -> float:
    """Signatures proved and heartbeats stored, one transaction each; HTTP is not in it."""
    seed = base64.urlsafe_b64encode(os.urandom(32)).decode()
    with contextlib.closing(office_store.open_office(folder)) as conn:
        office_store.add(conn, "a", key.public(seed), None, END)
        bodies = [beat.body(beat.Beat("a", n, END + n, "0.1.0", True)) for n in range(1, count + 1)]
        signed = [(text, key.sign(seed, text)) for text in bodies]
        acceptor = Acceptor(conn)
        with Spent() as spent:
            for n, (text, signature) in enumerate(signed):
                said = acceptor.take(text, signature, END + n)
                assert said.status == 200, said.body
    return count / spent.cpu


def command(*words: str) -> Spent:
    with Spent() as spent:
        done = subprocess.run([*KAHRIZ, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return spent


def measure(folder: Path, days: int, beats: int) -> Measured:
    own = folder / "archive" / "kahriz"
    own.mkdir(parents=True)
    shutil.copy(SITE / "site.toml", own)
    with contextlib.closing(village_store.open_village(own / "village.db")) as conn:
        with village_store.transaction(conn):
            village_store.put_values(conn, list(water(days)))
        values = conn.execute("SELECT count(*) FROM value").fetchone()[0]
        conn.execute("DELETE FROM changed")  # as after years: everything has been passed on
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    place = ("--config", str(own / "site.toml"), "--data", str(own))
    command(
        *("export", "values", "--form", "replay", "--out", str(own / "readings.csv")),
        *(*place, "--from", "2020-01-01", "--to", "2027-01-01"),
    )
    influx = start_influx(folder / "influx")
    try:
        secret = folder / "secret"
        secret.write_text(f"{influx.user}:{influx.password}\n")
        secret.chmod(0o600)
        where = ("--url", influx.url, "--token-file", str(secret))
        refill = command("server", "refill", str(own), *where)
    finally:
        influx.stop()
    archive = str(folder / "archive")
    replay = command("server", "replay", archive, "--out", str(folder / "r"), "--jobs", "1")
    month = ("--month", "2026-10", "--jobs", "1")
    report = command("server", "reports", archive, "--out", str(folder / "p"), *month)
    return Measured(
        days,
        values,
        round((own / "village.db").stat().st_size / 1e6, 1),
        round(beats_a_second(folder / "office", beats)),
        *(round(n, 1) for n in (refill.cpu, refill.wall, replay.cpu, replay.wall)),
        *(round(n, 1) for n in (report.cpu, report.wall)),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--beats", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    build = Path(__file__).parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="office-", dir=build) as folder:
        found = asdict(measure(Path(folder), given.days, given.beats))
    lines = [f"{name:16} {value}" for name, value in found.items()]
    print(json.dumps(found) if given.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
