# SPDX-License-Identifier: MIT
"""A quarter of six nodes through the real gateway: memory, file handles and stores, week by week.

    python -m tests.campaigns.soak [--weeks 13] [--nodes 6]

Readings every five minutes, an hour's rows a message, as fast as they are taken; for a week in
each month the database is away. Exit code 1 when something grows that should not: memory or file
handles after the warm weeks, bytes a reading, or a row that is lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from scripts import bench_site
from scripts.bench_faults import count_rows
from scripts.bench_nodes import Nodes
from scripts.bench_rig import Rig, memory_mb, rig, wait_until

WARM_WEEKS = 3
AWAY = (4, 8, 12)  # weeks without the database
PER_S = 400
MEMORY_MOST, BYTES_MOST = 1.25, 1.15  # of the warm weeks' figure
HANDLES_MORE = 2
PATIENCE_S = 900.0


def handles(pid: int) -> int:
    """Open files of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def size(folder: Path, store: str) -> int:
    """Bytes of a store with its log."""
    return sum(path.stat().st_size for path in folder.glob(f"{store}*"))


def sample(each: Rig, week: int, rows: int) -> dict[str, float]:
    """How the processes are at the end of a week."""
    return {
        "week": week,
        "rows": rows,
        "intake_mb": round(memory_mb(each.intake.pid), 1),
        "village_mb": round(memory_mb(each.village.pid), 1),
        "intake_handles": handles(each.intake.pid),
        "village_handles": handles(each.village.pid),
        "readings_bytes_a_row": round(size(each.folder, "readings.db") / rows, 1),
        "village_bytes_a_row": round(size(each.folder, "village.db") / rows, 1),
    }


def judge(weeks: list[dict[str, float]]) -> list[str]:
    """What has grown beyond its bound since the warm weeks."""
    warm, found = weeks[: WARM_WEEKS + 1], []
    for name in weeks[0]:
        usual, last = max(w[name] for w in warm), weeks[-1][name]
        if name.endswith("_mb"):
            most = usual * MEMORY_MOST
        elif name.endswith("_handles"):
            most = usual + HANDLES_MORE
        elif name.endswith("_a_row"):
            most = usual * BYTES_MOST
        else:
            continue
        if last > most:
            found.append(
                f"{name}: {last} at the end, {usual} in the warm weeks, at most {most:.1f}"
            )
    return found


def soak(each: Rig, weeks: int) -> list[str]:
    """Live them."""
    assert each.influx is not None
    each.start()
    nodes = Nodes(each.broker.port, each.site.nodes)
    found = []
    for week in range(1, weeks + 1):
        if week in AWAY:
            each.influx.kill9()
        nodes.send(len(each.site.nodes) * 24 * 7, PER_S, {})
        nodes.settle(PATIENCE_S)
        rows = nodes.sent * bench_site.ROWS
        _until_read(each, rows)
        if week in AWAY:
            each.influx.restart()
        _until_passed_on(each, rows)
        found.append(sample(each, week, rows))
        print(json.dumps(found[-1]), flush=True)
    lost, doubled = count_rows(each, rows)
    nodes.close()
    broken = judge(found)
    if lost or doubled:
        broken.append(f"{lost} lost, {doubled} doubled of {rows}")
    return broken


def _until_read(each: Rig, rows: int) -> None:
    read = "SELECT rev FROM cursor WHERE name='village'"
    wait_until(lambda: each.ask("village.db", read) >= rows, "the village reads", 0.1, PATIENCE_S)


def _until_passed_on(each: Rig, rows: int) -> None:
    wait_until(lambda: each.passed_on(rows), "InfluxDB has all", 0.1, PATIENCE_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=13)
    parser.add_argument("--nodes", type=int, default=6)
    given = parser.parse_args()
    begun = time.monotonic()
    bench_site.DT_MS = 300_000  # as nodes are set, not as a bench is
    with (
        tempfile.TemporaryDirectory(prefix="kahriz-soak-") as folder,
        rig(Path(folder), given.nodes, influx=True, python=sys.executable) as each,
    ):
        broken = soak(each, given.weeks)
    for words in broken:
        print(words)
    print(f"{given.weeks} weeks of {given.nodes} nodes, {len(broken)} bounds broken,"
          f" {time.monotonic() - begun:.0f} s")  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
