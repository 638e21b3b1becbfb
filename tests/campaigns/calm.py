# SPDX-License-Identifier: MIT
"""Ten kahrizes, a calm year each, through detectors and alarm loop; then each loses 15 %.

    python -m tests.campaigns.calm [--kahrizes 10] [--days 365] [--jobs 2] [--only NUMBER]

Exit code 1 when somebody was rung for what the scorer does not count, or the loss was not told
within a day.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from statistics import median

from .calm_year import Year, live


def one(number: int, days: float) -> Year:
    with tempfile.TemporaryDirectory(prefix="kahriz-calm-") as folder:
        return live(number, days, Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kahrizes", type=int, default=10)
    parser.add_argument("--days", type=float, default=365)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    begun = time.monotonic()
    numbers = [given.only] if given.only is not None else range(1, given.kahrizes + 1)
    found: list[Year] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for job in as_completed([pool.submit(one, n, given.days) for n in numbers]):
            year = job.result()
            found.append(year)
            print(json.dumps(asdict(year)), flush=True)
    told = [y.leak_told_h for y in found if y.leak_told_h is not None]
    broken = sum(bool(y.faults) for y in found)
    figures = {
        "kahrizes": len(found),
        "days_each": given.days,
        "urgent_false_by_the_scorer": sum(len(y.false) for y in found),
        "urgent_alarms_rung": sum(len(y.rung) for y in found),
        "urgent_messages": sum(y.messages for y in found),
        "losses_told_in_a_day": sum(h <= 24 for h in told),
        "median_h": median(told) if told else None,
        "worst_h": max(told, default=None),
        "broken": broken,
    }
    print(json.dumps(figures), f"{time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
