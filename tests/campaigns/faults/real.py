# SPDX-License-Identifier: MIT
"""Real processes, mosquitto, intake, village, InfluxDB, killed, stopped, frozen at random moments.

    python -m tests.campaigns.faults.real [--runs 300] [--seed 1] [--minutes M] [--out FILE]

A run is some seconds of twenty publishers that keep what has no receipt, and one to three faults at
random moments of it; then every row must lie in the store once and every point in InfluxDB once.
The processes go on from one run to the next, as in a village. `--only SEED` lives one run alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from scripts.bench_faults import count_rows
from scripts.bench_nodes import Nodes
from scripts.bench_rig import Rig, kill, rig, wait_until

NODES, MESSAGES, PER_S = 20, 60, 40
AFRESH = 50  # runs on one set of stores
PATIENCE_S = 120.0
SHORT_S = (0.1, 1.5)
KINDS = (
    "broker_killed", "broker_lost_state", "broker_frozen", "broker_terminated",
    "intake_killed", "intake_terminated", "intake_frozen",
    "village_killed", "village_terminated", "village_frozen",
    "database_down", "database_frozen", "everything_killed",
)  # fmt: skip


@dataclass
class Run:
    """What became of it; `faults` are broken promises."""

    seed: int
    kinds: list[str] = field(default_factory=list)
    measured: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    receipts_s: float = 0.0  # after the last message: every row has its receipt
    database_s: float = 0.0  # … and every point is in InfluxDB
    faults: list[str] = field(default_factory=list)


class Bench:
    """The processes, and their publishers."""

    def __init__(self, each: Rig) -> None:
        self.each = each
        each.start()
        self.nodes = Nodes(each.broker.port, each.site.nodes)

    def run(self, seed: int) -> Run:
        draw = Random(f"real {seed}")
        kinds = draw.sample(KINDS, draw.randint(1, 3))
        found = Run(seed, kinds)
        moments = sorted(draw.sample(range(5, MESSAGES - 5), len(kinds)))
        deeds = {
            at: self._deed(kind, draw.uniform(*SHORT_S))
            for at, kind in zip(moments, kinds, strict=True)
        }
        before = self.nodes.sent
        self.nodes.send(MESSAGES, PER_S, deeds)
        begun = time.monotonic()
        try:
            self.nodes.settle(PATIENCE_S)
            found.receipts_s = round(time.monotonic() - begun, 2)
            rows = self.nodes.sent * 12
            wait_until(lambda: self.each.passed_on(rows), "InfluxDB has all", 0.05, PATIENCE_S)
            found.database_s = round(time.monotonic() - begun, 2)
        except TimeoutError as error:
            found.faults.append(str(error))
            return found
        found.measured = (self.nodes.sent - before) * 12
        found.lost, found.doubled = count_rows(self.each, rows)
        found.stored = found.measured - found.lost
        if found.lost or found.doubled:
            found.faults.append(f"{found.lost} lost, {found.doubled} doubled of {rows}")
        return found

    def _deed(self, kind: str, for_s: float) -> Callable[[], None]:
        each = self.each
        what, how = kind.split("_", 1)
        child = {"intake": each.intake, "village": each.village}.get(what)

        def do() -> None:
            if kind == "everything_killed":
                kill(each.intake)
                kill(each.village)
                each.broker.kill9()
                each.broker.restart()
                each.intake.start()
                each.village.start()
            elif how == "frozen":
                assert each.influx is not None
                pids = [each.broker.pid] if what == "broker" else list(each.influx.pids)
                pids = pids if child is None else [child.pid]
                _freeze(pids, for_s)
            elif child is not None:
                kill(child) if how == "killed" else child.stop()
                time.sleep(for_s)
                child.start()
            elif what == "broker":
                each.broker.stop() if how == "terminated" else each.broker.kill9()
                if how == "lost_state":
                    for kept in (each.folder / "mosquitto").glob("*.db*"):
                        kept.unlink()
                time.sleep(for_s)
                each.broker.restart()
            else:
                assert each.influx is not None
                each.influx.kill9()
                time.sleep(for_s)
                each.influx.restart()

        return do


def _freeze(pids: list[int], for_s: float) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(for_s)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    first, runs = (given.seed, given.runs) if given.only is None else (given.only, 1)
    begun, done, broken = time.monotonic(), 0, 0
    out = given.out.open("w") if given.out else None
    while done < runs and time.monotonic() - begun < 60 * given.minutes:
        with (
            tempfile.TemporaryDirectory(prefix="kahriz-real-") as folder,
            rig(Path(folder), NODES, influx=True, python=sys.executable) as each,
        ):
            bench = Bench(each)
            for _ in range(min(AFRESH, runs - done)):
                found = bench.run(first + done)
                done += 1
                if out is not None:
                    print(json.dumps(asdict(found)), file=out, flush=True)
                if found.faults:
                    broken += 1
                    print(f"make faults-real ARGS='--only {found.seed}'   {found.kinds}:"
                          f" {'; '.join(found.faults)}", flush=True)  # fmt: skip
                    break  # what is broken stays broken: begin afresh
                if time.monotonic() - begun >= 60 * given.minutes:
                    break
            bench.nodes.close()
    if out is not None:
        out.close()
    print(f"{done} runs from seed {given.seed}, {broken} broken, {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
