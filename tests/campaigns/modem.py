# SPDX-License-Identifier: MIT
"""The alarm loop against a hostile modem: drawn runs on a time of their own, and some in ours.

    python -m tests.campaigns.modem [--runs 500] [--real 20] [--seed 1] [--jobs 2] [--only SEED]

Exit code 1 when a promise is broken; `--only` lives one run again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import median

from .alarm_run import PROMISE_S, Run, Verdict


def live(seed: int) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="kahriz-modem-") as folder:
        return Run(seed, Path(folder)).live()


def summary(found: list[Verdict]) -> dict[str, object]:
    """The figures of many runs."""
    in_time = [v for v in found if v.delivered_s is not None and v.delivered_s <= PROMISE_S]
    reached = [v.anybody_s for v in found if v.anybody_s is not None]
    first = [
        min(t for t in (v.delivered_s, v.next_s) if t is not None)
        for v in found
        if v.delivered_s is not None or v.next_s is not None
    ]
    return {
        "runs": len(found),
        "troubles": sum(v.struck for v in found),
        "power_cycles": sum(v.powered for v in found),
        "first_person_has_it_in_5_min": len(in_time),
        "or_the_next_was_tried": sum(not v.faults and v not in in_time for v in found),
        "worst_s": round(max(first, default=0.0), 1),
        "somebody_has_it": len(reached),
        "median_s": round(median(reached), 1) if reached else None,
        "copies": sum(v.copies for v in found),
        "marked_as_repeats": sum(v.repeats for v in found),
        "broken": sum(bool(v.faults) for v in found),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--real", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    begun = time.monotonic()
    if given.only is not None:
        verdict = live(given.only)
        print(json.dumps(asdict(verdict)))
        return 1 if verdict.faults else 0
    with ProcessPoolExecutor(given.jobs) as pool:
        seeds = range(given.seed, given.seed + given.runs)
        found = list(pool.map(live, seeds, chunksize=5))
    broken = report("simulated", found)
    if given.real:
        from .modem_real import live_all

        broken += report("gammu", live_all(given.real, given.seed))
    print(f"{time.monotonic() - begun:.0f} s, {broken} runs broken")
    return 1 if broken else 0


def report(name: str, found: list[Verdict]) -> int:
    for verdict in found:
        if verdict.faults:
            print(f"  run {verdict.seed}: BROKEN {'; '.join(verdict.faults)}")
    print(name, json.dumps(summary(found)), flush=True)
    return sum(bool(v.faults) for v in found)


if __name__ == "__main__":
    sys.exit(main())
