# SPDX-License-Identifier: MIT
"""Random power cuts of the whole node, in the middle of writes to its flash.

    python -m tests.campaigns.cuts [--cuts 10000] [--seed 1] [--jobs 2]

In every second wake the power goes at a random write to the flash: clean, torn, or with garbage
left behind. Every second life speaks mutual TLS, and all are offered programs and configurations,
good and bad, over the air meanwhile. A lost reading that was written down, a number given twice, a
node that does not come up again (a brick) or a gap without a reason break the promise.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from kahriz_sim.errors import ConfigError
from kahriz_tools.image import build_image

from .cable import make_updates
from .judge import Verdict
from .run_life import run_life
from .weather import Rates

DAYS = 3.0  # of a life
DRIVERS = ["loop_ads1115"]
RATES = Rates(cut_every_wakes=2, outages_a_year=60, longest_days=0.5, cuts_a_year=0, updates=9)


def main() -> int:
    """Live until there were enough cuts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    sums = dict.fromkeys(("mid_write_cuts", "wakes", "written", "stored", "sessions"), 0)
    sums |= {"cuts_under_tls": 0, "updates_run": 0, "configs_run": 0}
    number = broken = 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kahriz-image-") as folder:
        image = Path(folder)
        build_image(image, DRIVERS)
        updates = make_updates(DRIVERS)
        with ProcessPoolExecutor(given.jobs) as pool:
            while sums["mid_write_cuts"] < given.cuts:
                lives = range(number + 1, number + given.jobs + 1)
                number += given.jobs
                live = partial(run_life, kind="pool", updates=updates)
                jobs = [
                    pool.submit(live, n, given.seed, DAYS, image, RATES, tls=n % 2 == 0)
                    for n in lives
                ]
                for life, job in zip(lives, jobs, strict=True):
                    try:
                        verdict: Verdict = job.result()
                    except ConfigError as error:
                        broken += 1
                        print(f"life {life}, seed {given.seed}: BRICK {error}")
                        continue
                    for key in ("mid_write_cuts", "wakes", "written", "stored", "sessions"):
                        sums[key] += getattr(verdict, key)
                    sums["cuts_under_tls"] += verdict.mid_write_cuts * verdict.tls
                    sums["updates_run"] += len(verdict.programs) - 1
                    sums["configs_run"] += len(verdict.configs) - 1
                    if verdict.faults():
                        broken += 1
                        print(f"life {life}, seed {given.seed}: {json.dumps(verdict.faults())}")
                print(f"{number} lives, {broken} broken: {json.dumps(sums)}")
                sys.stdout.flush()
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
