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
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from kahriz_tools.image import build_image
from scripts.bench_nodes import Nodes
from scripts.bench_rig import Rig, rig, wait_until
from scripts.bench_site import ROWS, SITE

from .alone import own_folder, sweep
from .lines import commit_here
from .real_count import count, real_rows
from .real_deeds import KINDS, LASTING, LASTS_S, ON_DISK, SHORT_S, Deed, Deeds
from .real_disk import small_disk
from .real_node import DRIVERS, POINT, RealNode
from .real_phone import PROMISE_S, Phone

NODES, MESSAGES, PER_S = 20, 60, 40
AFRESH = 10  # runs on one set of stores
PATIENCE_S = 120.0
LAST_LINES = 12  # of a log, where a run broke


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
        self.deeds = Deeds(each, self.phone)
        self._lasting = LASTING if has_disk else tuple(k for k in LASTING if k not in ON_DISK)

    def run(self, seed: int, scratch: Path, image: Path) -> Run:
        draw = Random(f"real {seed}")
        kinds = draw.sample(KINDS, draw.randint(1, 3))
        lasting = draw.choice(LASTING)
        if lasting in self._lasting:
            kinds.append(lasting)
        found = Run(seed, kinds)
        moments = sorted(draw.sample(range(5, MESSAGES - 5), len(kinds)))
        deeds: dict[int, Deed] = {}
        node = RealNode(scratch, image, SITE, self.each.broker.port)
        for at, kind in zip(moments, kinds[::-1], strict=True):  # what lasts begins first
            if kind in LASTING:
                deeds[at] = self.deeds.lasting(kind, draw.uniform(*LASTS_S), node)
            else:
                deeds[at] = self.deeds.short(kind, draw.uniform(*SHORT_S))
        before, rev = self.nodes.sent, self.each.stored()
        alarm, alarm_s = f"run-{seed}", time.monotonic()
        self.phone.raise_alarm(alarm)
        self.nodes.send(MESSAGES, PER_S, deeds)
        self.deeds.over()
        begun = time.monotonic()
        try:
            with self.deeds.started_again():
                self._settle(found, node, begun)
                wait_until(
                    lambda: bool(self.phone.texts(alarm)), "the crew has its text", 0.1, PROMISE_S
                )
            found.text_s = round(time.monotonic() - alarm_s, 2)
        except TimeoutError as error:
            found.faults.append(str(error))
            node.end()
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

    def close(self) -> None:
        self.nodes.close()
        self.phone.close()


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
            folder, image = Path(place) / "disk", _folder(place, "image")
            build_image(image, DRIVERS)
            _elsewhere(folder, place)
            with rig(folder, NODES, influx=True, python=sys.executable) as each:
                bench = Bench(each, has_disk)
                for _ in range(min(AFRESH, runs - done)):
                    found = bench.run(first + done, _folder(place, f"node-{done}"), image)
                    done += 1
                    if out is not None:
                        print(json.dumps(asdict(found) | {"commit": commit}), file=out, flush=True)
                    if found.faults:
                        broken += 1
                        print(f"make faults-real ARGS='--only {found.seed}'   {found.kinds}:"
                              f" {'; '.join(found.faults)}", flush=True)  # fmt: skip
                        _last_words(Path(place))
                        break  # what is broken stays broken: begin afresh
                    if time.monotonic() - begun >= 60 * given.minutes:
                        break
                bench.close()
    if out is not None:
        out.close()
    print(f"{done} runs from seed {given.seed}, {broken} broken, {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


def _last_words(place: Path) -> None:
    """What the processes of a broken run said, before its folder goes."""
    for log in sorted([*place.glob("*.log"), *place.glob("mosquitto-log")]):
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        print("\n".join([f"  {log.name}:", *(f"    {line[:300]}" for line in last)]), flush=True)


def _elsewhere(folder: Path, place: str) -> None:
    """The office's disk is its own, and so is the log: an open one keeps a disk from read-only."""
    (folder / "influx").symlink_to(_folder(place, "influx"))
    (folder / "mosquitto").mkdir()
    for log in ("intake.log", "village.log", "mosquitto/log"):
        (folder / log).symlink_to(Path(place) / log.replace("/", "-"))


def _folder(place: str, name: str) -> Path:
    made = Path(place) / name
    made.mkdir()
    return made


if __name__ == "__main__":
    sys.exit(main())
