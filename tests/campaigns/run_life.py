# SPDX-License-Identifier: MIT
"""One node, its weather, its gateway: lived and judged."""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from kahriz_sim.lone_line import LoneLine
from kahriz_sim.lone_talk import Talk
from kahriz_sim.lone_world import live

from .cable import Updates, new_flash, papers
from .intake import LoneIntake, TrueClock
from .judge import Verdict, judge
from .life import NodeLife
from .weather import USUAL, Rates, Weather

ROOT = Path(__file__).parents[2]
NODES = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes"
BEGIN_MS = 1_790_000_100_000
KEEP_WAKES = 20  # of so many wakes one loads its modules from flash, the others have them
FRESH_EVERY = 5  # of so many power cuts one ends the process with kill -9


def run_life(
    number: int,
    seed: int,
    days: float,
    image: Path,
    rates: Rates = USUAL,
    kind: str = "pool",
    updates: Updates | None = None,
    tls: bool = False,
) -> Verdict:
    """The life of node `number` under a seed, built as the node `kind` of the demo site.

    With `updates` it is offered programs and configurations at the weather's times.
    """
    name = f"node-{number:02}"
    weather = Weather(f"{seed}/{number}", BEGIN_MS, days, rates)
    with tempfile.TemporaryDirectory(prefix="kahriz-life-") as given:
        folder = Path(given)
        clock = TrueClock()
        clock.ms = BEGIN_MS
        config = json.loads((NODES / f"{kind}.json").read_text())
        intake = LoneIntake(folder, config["site"], clock)
        life = NodeLife(weather, intake, clock)
        config["node"] = name
        config["phase_s"] = number * 180 % 3600
        files, context = papers(folder, name) if tls else ({}, None)
        if tls:
            config["broker"]["tls"] = {path[5:-4]: path for path in files}
        if updates is not None:
            files["/release.key"] = updates.modulus
            life.update = partial(next, _wishes(intake, name, config, updates))
        line = LoneLine(partial(_talk, intake, life), context, life.passed)
        new_flash(folder / "node.lfs", config, files)
        (folder / "config.json").write_text("")
        said = live(
            life,
            name,
            folder / "node.lfs",
            image,
            folder / "config.json",
            line=line,
            keep_wakes=KEEP_WAKES,
            fresh_every=FRESH_EVERY,
        )
        verdict = judge(name, life, intake, said)
        verdict.sessions = line.sessions
        verdict.tls = tls
        intake.close()
        return verdict


def _wishes(
    intake: LoneIntake, node: str, config: dict[str, Any], updates: Updates
) -> Iterator[None]:
    """A program, a configuration that is refused, a good one, and again."""
    body = {key: value for key, value in config.items() if key not in ("wifi", "broker")}
    for number in count():
        intake.update(node, updates.releases[number % len(updates.releases)])
        yield
        intake.configure(node, {**body, "dt_s": 5})
        yield
        intake.configure(node, {**body, "batch": 6 + number % 7})
        yield


def _talk(intake: LoneIntake, life: NodeLife) -> Talk:
    return Talk(intake.said, life.answers, life.fault(), intake.kept)
