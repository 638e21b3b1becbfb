# SPDX-License-Identifier: MIT
"""Real processes, mosquitto, intake, village, InfluxDB, killed, stopped, frozen at random moments.

    python -m tests.campaigns.faults.real [--runs 300] [--seed 1] [--minutes M] [--out FILE]

A run is some seconds of twenty publishers that keep what has no receipt, a node's real program in
MicroPython, an alarm that must reach the crew through the real gammu and a modem on a
pseudo-terminal, and one to four faults at random moments; then every row must lie in the store
once, every point in InfluxDB once, and the crew must have its text. The processes go on from one
run to the next, as in a village. `--only SEED` lives one run alone.
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
from threading import Timer

from scripts.bench_nodes import Nodes
from scripts.bench_rig import Rig, kill, rig, wait_until
from scripts.bench_site import ROWS, SITE

from .alone import own_folder, sweep
from .lines import commit_here
from .real_count import count, real_rows
from .real_disk import fill, make_room, small_disk
from .real_node import POINT, RealNode
from .real_phone import PROMISE_S, Phone

NODES, MESSAGES, PER_S = 20, 60, 40
AFRESH = 10  # runs on one set of stores
PATIENCE_S = 120.0
SHORT_S = (0.1, 1.5)
KINDS = (
    "broker_killed", "broker_lost_state", "broker_frozen", "broker_terminated",
    "intake_killed", "intake_terminated", "intake_frozen",
    "village_killed", "village_terminated", "village_frozen",
    "database_down", "database_frozen", "everything_killed",
)  # fmt: skip
LASTING = ("disk_full", "modem_hangs", "modem_garbles", "node_killed")  # while others strike
LASTS_S = (1.0, 6.0)


@dataclass
class Run:
    """What became of it; `faults` are broken promises."""

    seed: int
    kinds: list[str] = field(default_factory=list)
    measured: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    node_wakes: int = 0  # of the real node, that wrote a reading down
    node_kills: int = 0
    texts: int = 0
    text_s: float = 0.0  # from the alarm to the text's leaving
    receipts_s: float = 0.0  # after the last message: every row has its receipt
    database_s: float = 0.0  # … and every point is in InfluxDB
    faults: list[str] = field(default_factory=list)


class Bench:
    """The processes, their publishers, the crew's phone; a node comes and goes with each run."""

    def __init__(self, each: Rig, has_disk: bool) -> None:
        self.each = each
        with each.site.toml.open("a", encoding="utf-8") as out:
            out.write(POINT)
        self.phone = Phone(each.site.toml, each.folder / "village.db")
        each.start()
        self.nodes = Nodes(each.broker.port, each.site.nodes)
        self._lasting = LASTING if has_disk else tuple(k for k in LASTING if k != "disk_full")
        self._timers: list[Timer] = []

    def run(self, seed: int, scratch: Path) -> Run:
        draw = Random(f"real {seed}")
        kinds = draw.sample(KINDS, draw.randint(1, 3))
        lasting = draw.choice(LASTING)
        if lasting in self._lasting:
            kinds.append(lasting)
        found = Run(seed, kinds)
        moments = sorted(draw.sample(range(5, MESSAGES - 5), len(kinds)))
        deeds: dict[int, Callable[[], None]] = {}
        node = RealNode(scratch, SITE, self.each.broker.port)
        for at, kind in zip(moments, kinds[::-1], strict=True):  # what lasts begins first
            if kind in LASTING:
                deeds[at] = self._begin(kind, draw.uniform(*LASTS_S), node)
            else:
                deeds[at] = self._deed(kind, draw.uniform(*SHORT_S))
        before, rev = self.nodes.sent, self.each.stored()
        alarm, alarm_s = f"run-{seed}", time.monotonic()
        self.phone.raise_alarm(alarm)
        self.nodes.send(MESSAGES, PER_S, deeds)
        for timer in self._timers:
            timer.join()
        self._timers.clear()
        self._revive()
        begun = time.monotonic()
        try:
            self._settle(found, node, begun)
            wait_until(
                lambda: bool(self.phone.texts(alarm)), "the crew has its text", 0.1, PROMISE_S
            )
            found.text_s = round(time.monotonic() - alarm_s, 2)
        except TimeoutError as error:
            found.faults.append(str(error))
            return found
        self._judge(found, real_rows(self.each, rev), node, self.nodes.sent - before, alarm)
        return found

    def _settle(self, found: Run, node: RealNode, begun: float) -> None:
        self.nodes.settle(PATIENCE_S)
        found.receipts_s = round(time.monotonic() - begun, 2)
        node.end()
        if node.failure:
            found.faults.append(node.failure[:300])
        rows = self.nodes.sent * ROWS
        wait_until(
            lambda: self.each.passed_on(rows + len(real_rows(self.each))),
            "InfluxDB has all", 0.05, PATIENCE_S,
        )  # fmt: skip
        found.database_s = round(time.monotonic() - begun, 2)

    def _judge(
        self, found: Run, own: list[dict[str, float]], node: RealNode, sent: int, alarm: str
    ) -> None:
        rows = self.nodes.sent * ROWS
        found.measured = sent * ROWS
        found.lost, found.doubled = count(self.each, rows)
        found.stored = found.measured - found.lost
        found.node_wakes, found.node_kills = len(node.written), node.kills
        lost, doubled = node.judged(own)
        if lost or doubled:
            found.faults.append(f"the node: {lost} lost, {doubled} doubled of {found.node_wakes}")
        found.lost, found.doubled = found.lost + lost, found.doubled + doubled
        if found.lost or found.doubled:
            found.faults.append(f"{found.lost} lost, {found.doubled} doubled of {rows}")
        texts = self.phone.texts(alarm)
        found.texts = len(texts)
        unmarked = [text for text in texts if "təkrar?" not in text]
        if len(set(unmarked)) < len(unmarked):
            found.faults.append(f"texts that do not say they may be copies: {unmarked}")

    def _revive(self) -> None:
        """What systemd does for a service that could not start on a full disk."""
        for child in (self.each.intake, self.each.village):
            if not child.running:
                child.start()

    def _begin(self, kind: str, for_s: float, node: RealNode) -> Callable[[], None]:
        """A fault that lasts while the load and the other faults go on."""
        phone, folder = self.phone, self.each.folder

        def do() -> None:
            if kind == "node_killed":
                for share in (0.3, 0.6, 1.0):
                    self._later(for_s * share, node.kill)
            elif kind == "disk_full":
                fill(folder)
                self._later(for_s, lambda: make_room(folder))
            else:
                hangs = kind == "modem_hangs"
                phone.trouble(
                    ("hang",) if hangs else ("garble", "lost_answer"), 1.0 if hangs else 0.3
                )
                self._later(for_s, phone.well)

        return do

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        timer = Timer(seconds, do)
        timer.start()
        self._timers.append(timer)

    def close(self) -> None:
        self.nodes.close()
        self.phone.close()

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
    sweep()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and leave nothing mounted
    out = given.out.open("a") if given.out else None
    commit = commit_here()
    while done < runs and time.monotonic() - begun < 60 * given.minutes:
        with (
            tempfile.TemporaryDirectory(prefix=own_folder("real")) as place,
            small_disk(_folder(place, "disk")) as has_disk,
        ):
            folder = Path(place) / "disk"
            (folder / "influx").symlink_to(_folder(place, "influx"))  # the office's disk is its own
            with rig(folder, NODES, influx=True, python=sys.executable) as each:
                bench = Bench(each, has_disk)
                for _ in range(min(AFRESH, runs - done)):
                    found = bench.run(first + done, _folder(place, f"node-{done}"))
                    done += 1
                    if out is not None:
                        print(json.dumps(asdict(found) | {"commit": commit}), file=out, flush=True)
                    if found.faults:
                        broken += 1
                        print(f"make faults-real ARGS='--only {found.seed}'   {found.kinds}:"
                              f" {'; '.join(found.faults)}", flush=True)  # fmt: skip
                        break  # what is broken stays broken: begin afresh
                    if time.monotonic() - begun >= 60 * given.minutes:
                        break
                bench.close()
    if out is not None:
        out.close()
    print(f"{done} runs from seed {given.seed}, {broken} broken, {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


def _folder(place: str, name: str) -> Path:
    made = Path(place) / name
    made.mkdir()
    return made


if __name__ == "__main__":
    sys.exit(main())
