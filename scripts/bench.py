# SPDX-License-Identifier: MIT
"""`make bench`: speed and size beside peers, and what kills and outages cost.

Quick by default (about three minutes); --full takes the large numbers; --write puts the table
into BENCHMARKS.md; --only NAME measures one part; --add sets what was measured into the table that
is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.bench_faults import kills, month, outage, start_and_size
from scripts.bench_ingest import backlog, receive_and_store, whole_chain
from scripts.bench_nodered import version
from scripts.bench_report import Report, added, machine
from scripts.bench_rig import gateway_python
from scripts.bench_store import big_store
from scripts.bench_upload import uploads
from scripts.bench_village import shares

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
STARTED = (
    "kahriz.cli",
    "kahriz_gateway.cli",
    "kahriz_gateway.intake.service",
    "kahriz_gateway.outputs.influx",
    "kahriz_gateway.village.village",
)
NEVER = (
    "a Raspberry Pi and an SD card: this machine's disk commits in a fraction of a millisecond",
    "Telegraf: in no registry that this project uses",
    "TLS: the broker of the bench is open, on the loopback",
    "what Node-RED loses when it or InfluxDB is killed: only ours is killed here",
)


def parts(full: bool) -> dict[str, Callable[[Report], None]]:
    """What is measured, in this order."""
    runs = 5 if full else 3
    return {
        "start": lambda r: start_and_size(r, BUILD, runs),
        "ingest": lambda r: _chain(r, full),
        "parts": lambda r: shares(r, BUILD, 1000 if full else 400, runs),
        "receive": lambda r: receive_and_store(r, BUILD, 10_000 if full else 4000, runs),
        "backlog": lambda r: backlog(r, BUILD, 100_000 if full else 10_000, 50, 3 if full else 1),
        "outage": lambda r: outage(r, BUILD, 20.0, 1000 if full else 100),
        "month": lambda r: month(r, BUILD, 30 if full else 2),
        "kills": lambda r: _kills(r, full),
        "store": lambda r: big_store(r, BUILD, 10 if full else 1),
        "upload": lambda r: uploads(r, BUILD, 45 if full else 15),
    }


def _chain(report: Report, full: bool) -> None:
    for kind in ("weir", "pressure"):
        whole_chain(report, BUILD, 2000 if full else 600, 3 if full else 2, kind)


def _kills(report: Report, full: bool) -> None:
    if full:
        kills(report, BUILD, 500, 20, 250)
        kills(report, BUILD, 4000, 20, 1000)
    else:
        kills(report, BUILD, 500, 4, 250)
        report.leave_out("20 kills, and kills at 4,000 msg/s: --full")


def _compile() -> None:
    """What is started is compiled, as what is installed is: compiling leaves megabytes behind."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(BUILD / "bytecode")
    subprocess.run([gateway_python(), "-c", f"import {', '.join(STARTED)}"], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="the large numbers; a quarter of an hour"
    )
    parser.add_argument("--write", action="store_true", help="write BENCHMARKS.md")
    parser.add_argument("--add", action="store_true", help="set it into BENCHMARKS.md as it is")
    parser.add_argument("--only", action="append", choices=list(parts(False)), help="one part")
    chosen = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    _compile()
    report = Report()
    before, begin = os.getloadavg(), time.monotonic()
    print(f"{machine()}\nload average {before[0]:.2f}", flush=True)
    failed = False
    for name, measure in parts(chosen.full).items():
        if chosen.only and name not in chosen.only:
            report.leave_out(f"{name}: not asked for")
            continue
        try:
            measure(report)
        except (OSError, RuntimeError) as error:  # TimeoutError too: the other parts go on
            report.leave_out(f"{name}: {error}")
            failed = True
    after = os.getloadavg()
    print(f"load average {after[0]:.2f}; {time.monotonic() - begin:.0f} s")
    for each in NEVER:
        report.leave_out(each)
    how = ("python scripts/bench.py " + " ".join(a for a in sys.argv[1:])).strip()
    load, paper = f"{before[0]:.2f}, {after[0]:.2f}", ROOT / "BENCHMARKS.md"
    if chosen.write:
        paper.write_text(report.markdown(how, load, f"- {version()}"), encoding="utf-8")
    elif chosen.add:
        old = paper.read_text(encoding="utf-8")
        paper.write_text(added(old, report, how, load), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
