# SPDX-License-Identifier: MIT
"""One node, its weather, its gateway: lived and judged."""

import json
import tempfile
from pathlib import Path

from kahriz_sim.lone_broker import LoneBroker
from kahriz_sim.lone_world import live

from .intake import LoneIntake, TrueClock
from .judge import Verdict, judge
from .life import NodeLife
from .weather import USUAL, Rates, Weather

ROOT = Path(__file__).parents[2]
NODES = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes"
BEGIN_MS = 1_790_000_100_000
DEADLINE_MS = 2000  # instead of 8000: a silent gateway is waited for in real time


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
        broker = LoneBroker(intake.said, life.answers, life.fault)
        life.settle = broker.settle
        try:
            config["node"], config["deadline_ms"] = name, DEADLINE_MS
            config["phase_s"] = number * 180 % 3600
            config["broker"]["port"] = broker.port
            (folder / "config.json").write_text(json.dumps(config))
            said = live(life, name, folder / "node.lfs", image, folder / "config.json")
        finally:
            broker.close()
        if broker.failure is not None:
            raise broker.failure
        verdict = judge(name, life, intake, said)
        verdict.sessions = broker.sessions
        intake.close()
        return verdict
