# SPDX-License-Identifier: MIT
"""Twenty nodes, a year each, with outages, drift, cuts and restored gateways.

    python -m tests.campaigns.year [--nodes 20] [--days 365] [--seed 1] [--jobs 2]

The broker answers over the board's own line, so no wait takes real time. Of twenty wakes one loads
its modules anew (memory is given back in those only), every fifth power cut ends the process. A
node's year is about 105,000 wakes and three minutes of a processor's work, six if ultrasonic.
Exit code 1 when a promise is broken; a node is lived again alone by `--only NUMBER`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from kahriz_sim.errors import ConfigError
from kahriz_tools.image import build_image

from .judge import Verdict
from .run_life import run_life
from .weather import Rates

ULTRASONIC_EVERY = 5  # one node of so many; the others are 4-20 mA


def kind_of(number: int) -> str:
    """What the node of that number measures with."""
    return "outlet" if number % ULTRASONIC_EVERY == 0 else "pool"


def main() -> int:
    """Live the lives, print a line each and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--days", type=float, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    rates = Rates(cut_every_wakes=1500)
    numbers = range(1, given.nodes + 1) if given.only is None else [given.only]
    broken = 0
    begun = time.monotonic()
    sums: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="kahriz-image-") as folder:
        image = Path(folder)
        build_image(image)
        with ProcessPoolExecutor(given.jobs) as pool:
            jobs = {
                pool.submit(run_life, n, given.seed, given.days, image, rates, kind_of(n)): n
                for n in numbers
            }
            for job in as_completed(jobs):
                try:
                    verdict: Verdict = job.result()
                except ConfigError as error:  # a brick: the others live on
                    broken += 1
                    print(f"  node {jobs[job]}: BROKEN {error}")
                    continue
                verdict.lost, lost = verdict.lost[:20], len(verdict.lost)
                print(json.dumps(verdict.as_dict() | {"at_s": round(time.monotonic() - begun)}))
                sys.stdout.flush()
                if verdict.faults():
                    broken += 1
                    print(f"  node {jobs[job]}: BROKEN {json.dumps(verdict.faults())}")
                for key in ("wakes", "written", "stored", "cut_short", "power_ons", "sessions"):
                    sums[key] = sums.get(key, 0) + getattr(verdict, key)
                sums["lost"] = sums.get("lost", 0) + lost
                sums["twice"] = sums.get("twice", 0) + verdict.twice
    print(json.dumps(sums), f"{time.monotonic() - begun:.0f} s, {broken} nodes broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
