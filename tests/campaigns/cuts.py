# SPDX-License-Identifier: MIT
"""Random power cuts of the whole node, in the middle of writes to its flash.

    python -m tests.campaigns.cuts [--cuts 10000] [--seed 1] [--jobs 2]

In every second wake the power goes at a random write to the flash: clean, torn, or with garbage
left behind. A lost reading that was written down, a number given twice, a node that does not come
up again (a brick) or a gap without a reason break the promise.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from kahriz_tools.image import build_image

from .judge import Verdict
from .run_life import run_life
from .weather import Rates

DAYS = 10.0  # of a life
RATES = Rates(cut_every_wakes=2, outages_a_year=60, longest_days=0.5, cuts_a_year=0)


def main() -> int:
    """Live until there were enough cuts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    cuts = written = stored = number = broken = 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kahriz-image-") as folder:
        image = Path(folder)
        build_image(image)
        with ProcessPoolExecutor(given.jobs) as pool:
            while cuts < given.cuts:
                lives = range(number + 1, number + given.jobs + 1)
                number += given.jobs
                jobs = [pool.submit(run_life, n, given.seed, DAYS, image, RATES) for n in lives]
                for life, job in zip(lives, jobs, strict=True):
                    verdict: Verdict = job.result()
                    cuts += verdict.mid_write_cuts
                    written += verdict.written
                    stored += verdict.stored
                    if verdict.faults():
                        broken += 1
                        print(f"life {life}, seed {given.seed}: {json.dumps(verdict.faults())}")
                print(
                    f"{cuts} cuts, {written} written down, {stored} stored, {broken} lives broken"
                )
                sys.stdout.flush()
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
