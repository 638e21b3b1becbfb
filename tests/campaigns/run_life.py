# SPDX-License-Identifier: MIT
"""One node, its weather, its gateway: lived and judged."""

import json
import tempfile
from functools import partial
from pathlib import Path

from kahriz_sim.lone_line import LoneLine
from kahriz_sim.lone_talk import Talk
from kahriz_sim.lone_world import live

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
    number: int, seed: int, days: float, image: Path, rates: Rates = USUAL, kind: str = "pool"
) -> Verdict:
    """The life of node `number` under a seed, built as the node `kind` of the demo site."""
    name = f"node-{number:02}"
    weather = Weather(f"{seed}/{number}", BEGIN_MS, days, rates)
    with tempfile.TemporaryDirectory(prefix="kahriz-life-") as given:
        folder = Path(given)
        clock = TrueClock()
        clock.ms = BEGIN_MS
        config = json.loads((NODES / f"{kind}.json").read_text())
        intake = LoneIntake(folder, config["site"], clock)
        life = NodeLife(weather, intake, clock)
        talk = partial(_talk, intake, life)
        line = LoneLine(talk, at=life.passed)
        config["node"] = name
        config["phase_s"] = number * 180 % 3600
        (folder / "config.json").write_text(json.dumps(config))
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
        intake.close()
        return verdict


def _talk(intake: LoneIntake, life: NodeLife) -> Talk:
    return Talk(intake.said, life.answers, life.fault())
