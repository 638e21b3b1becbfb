# SPDX-License-Identifier: MIT
"""Other leaks in the same districts: the added ones taken out, ten others drawn into each copy.

    scripts/score_drawn.py                   ten copies of each site of dma_real: 300 leaks
    scripts/score_drawn.py --first 20        copies 20 to 29
    scripts/score_drawn.py --set kahriz      another set: score_drawn_sets.py

Thirty leaks tell little: two more or less are luck. Three to thirty percent of the mean use, half
abrupt and half growing, at any hour; the water of the districts stays what it was, and so do the
leaks of their own that nobody has labelled.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import random
import sys
import tempfile
from argparse import Namespace
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, Table, rows
from scripts import score_drawn_sets
from scripts.score_sets import REPO, RULES, Played, ScoreError, figures, scorer, sites

SET, LEAKS, LEARN_DAYS, CALM_DAYS = "dma_real", 10, 45, 42
SMALLEST, LARGEST = 0.03, 0.30  # of the mean use
Leak = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--first", type=int, default=0, help="number of the first copy")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="replays at a time")
    parser.add_argument("--set", default=SET, help="dma_real, or one of score_drawn_sets.py")
    parser.add_argument("--save", action="store_true", help="into SCORES.md: of the others alone")
    args, more = parser.parse_known_args()
    if args.set != SET:
        return score_drawn_sets.main()
    if more or args.save:
        parser.error(f"not with --set {SET}: {' '.join([*more, *['--save'] * args.save])}")
    folders = sites(args.train / SET)
    if not folders:
        raise ScoreError(f"{args.train / SET}: expected sites; say --train FOLDER")
    judge, all_of = scorer(args.train / "score_alarms.py"), list[Played]()
    with ProcessPoolExecutor(args.jobs) as pool:
        for site in folders:
            copies = range(args.first, args.first + args.copies)
            played = list(pool.map(play, repeat(site), copies, repeat(args.train)))
            tell(judge, site.name, played)
            all_of += played
    tell(judge, "all", all_of)
    return 0


def play(site: Path, copy: int, train: Path) -> Played:
    """A copy of a site with leaks of its own, replayed and judged."""
    judge = scorer(train / "score_alarms.py")
    used = without(site, judge.read_events(str(site / "events.csv")))
    leaks = draw(random.Random(f"{site.name} {copy}"), used)
    with tempfile.TemporaryDirectory() as folder:
        readings, events = Path(folder) / "readings.csv.gz", Path(folder) / "events.csv"
        _write(site, readings, {t: lps + lost(leaks, t) for t, lps in used.items()})
        with events.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(leaks[0]))
            writer.writeheader()
            writer.writerows(leaks)
        table, alarms = Table(), Path(folder) / "alarms.csv"
        for moment, finding in Replay(load_site(site / "site.json")).run(rows(readings)):
            table.told(moment, finding)
        table.write(alarms)
        rules = Namespace(**{**RULES, "chance": 20})
        counted = judge.score_site(str(readings), str(events), str(alarms), rules, site.name)
    return Played(site.name, counted, 0.0, 0.0)


def draw(rng: random.Random, used: dict[datetime, float]) -> list[Leak]:
    """Leaks one after the other, each with days of calm before the next.

    >>> hours = {datetime(2025, 1, 1) + timedelta(hours=h): 5.0 for h in range(24 * 700)}
    >>> leaks = draw(random.Random(1), hours)
    >>> len(leaks), all(a["end"] < b["start"] for a, b in zip(leaks, leaks[1:]))
    (10, True)
    """
    first, mean = min(used), sum(used.values()) / len(used)
    each = ((max(used) - first).days - LEARN_DAYS - CALM_DAYS // 2) / LEAKS
    leaks = list[Leak]()
    abrupt = rng.random() < 0.5
    for n in range(LEAKS):
        day = LEARN_DAYS + n * each + rng.uniform(0.0, max(0.0, each - CALM_DAYS))
        start = first + timedelta(hours=int(24 * day))
        grows = timedelta(hours=0 if abrupt else rng.randint(200, 520))
        end = start + grows + timedelta(hours=rng.randint(160, 400))
        share = math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST)))
        leak: Leak = {"event": f"e{n}", "kind": "leak", "place": "", "start": start, "end": end}
        leak |= {"peak": start + grows, "size": round(mean * share, 3), "size_unit": "L/s"}
        leaks.append(leak | {"growth": "abrupt" if abrupt else "quadratic", "counted": 1})
        abrupt = not abrupt
    return leaks


def lost(leaks: list[Leak], t: datetime) -> float:
    """All that runs out of them at a time."""
    total = 0.0
    for leak in leaks:
        if leak["start"] <= t < leak["end"]:
            grown = 1.0
            if leak["growth"] != "abrupt" and t < leak["peak"]:
                grown = ((t - leak["start"]) / (leak["peak"] - leak["start"])) ** 2
            total += leak["size"] * grown
    return total


def without(site: Path, leaks: list[Leak]) -> dict[datetime, float]:
    with gzip.open(site / "readings.csv.gz", "rt", newline="") as handle:
        found = [(datetime.fromisoformat(r["time"]), r["value"]) for r in csv.DictReader(handle)]
    return {t: float(value) - lost(leaks, t) for t, value in found if value}


def _write(site: Path, path: Path, values: dict[datetime, float]) -> None:
    with gzip.open(site / "readings.csv.gz", "rt", newline="") as handle:
        like = next(csv.DictReader(handle))
    with gzip.open(path, "wt", newline="", encoding="utf-8", compresslevel=1) as handle:
        writer = csv.DictWriter(handle, list(like))
        writer.writeheader()
        for t, lps in sorted(values.items()):
            time = t.strftime("%Y-%m-%dT%H:%M")
            writer.writerow({**like, "time": time, "value": f"{lps:.4f}"})


def tell(judge: Any, name: str, played: list[Played]) -> None:
    part = figures(judge, played)["loss"]
    print(
        f"{name}: {part['found']}/{part['total']} (chance {part['chance_found']:.1f}), "
        f"{part['false_per_year']:.2f} false a site-year, median {part['median_delay_h']:.0f} h"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
