# SPDX-License-Identifier: MIT
"""Settings chosen on all sites of a set but one, and judged on that one.

    scripts/score_left_out.py                     every set on which a setting was chosen
    scripts/score_left_out.py --set dma_real      this one
    scripts/score_left_out.py --save              and write it into SCORES.md

Every site is replayed with the limits of a setting times each of its scales (left_out_settings.py).
For each site the scale is taken that finds most on the others at no more false alarms a site-year
than the set's goal (the fewest, where none keeps that). "each left out once" are the figures of
the sites on which nothing was chosen. What was chosen by reading (which detectors there are, what
they compare) cannot be left out in this way: only other sites can tell.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, Table, rows
from scripts.left_out_settings import SETTINGS, Setting
from scripts.score import LAST, LEFT_OUT, SIMULATED, save
from scripts.score_sets import (
    REPO,
    RULES,
    Played,
    ScoreError,
    figures,
    load_last,
    scorer,
    sites,
)

MOST_FALSE = {"loss": 1.0, "source": 0.3, "fault": 2.0}  # a site-year: the goals
OTHERWISE = {("dma_real", "loss"): 2.0, ("lro_faults", "fault"): 4.0}
NOTHING = {  # neither events nor alarms
    "found": 0,
    "total": 0,
    "chance_found": 0.0,
    "false_per_year": 0.0,
    "median_delay_h": None,
}
Scaled = Mapping[float, Sequence[Played]]  # the sites of a set, at each scale


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--set", action="append", help=f"a folder of --train, or {SIMULATED}")
    parser.add_argument("--jobs", type=int, default=2, help="replays at a time")
    parser.add_argument("--save", action="store_true", help="write it into SCORES.md, too")
    args = parser.parse_args()
    known = dict.fromkeys(name for setting in SETTINGS for name in setting.sets)
    for name in args.set or known:
        if name not in known:
            raise ScoreError(f"--set {name}: expected one of {', '.join(known)}")
        told = _set(name, args.train, args.jobs)
        print("\n".join([f"\n{name}", *(" | ".join(cells) for cells in told)]), flush=True)
        if args.save:
            kept = load_last(LAST)
            save({**kept, LEFT_OUT: {**kept.get(LEFT_OUT, {}), name: told}})
    return 0


def _set(name: str, train: Path, jobs: int) -> list[list[str]]:
    """The rows of a set's table."""
    if name == SIMULATED:
        from scripts.score_simulated import make_sites

        folder = make_sites(REPO / "build" / "score")
    else:
        folder = train / name
    folders = sites(folder)
    if len(folders) < 2:
        raise ScoreError(f"--set {name}: expected a set of at least two sites in {train}")
    judge = scorer(train / "score_alarms.py")
    told = []
    with ProcessPoolExecutor(jobs) as pool:
        as_it_is = None
        for setting in SETTINGS:
            if name not in setting.sets:
                continue
            played: dict[float, list[Played]] = {}
            for scale in setting.scales:
                if scale == 1.0 and as_it_is is not None:
                    played[scale] = as_it_is
                    continue
                todo = [(setting.name, scale, site, train) for site in folders]
                played[scale] = list(pool.map(_play, todo))
            as_it_is = played[1.0]
            for group in setting.groups:
                most = OTHERWISE.get((name, group), MOST_FALSE[group])
                told += table(judge, setting.name, group, played, most)
    return told


def _play(todo: tuple[str, float, Path, Path]) -> Played:
    name, scale, site, train = todo
    judge = scorer(train / "score_alarms.py")
    setting: Setting = next(s for s in SETTINGS if s.name == name)
    plan = next(p for p in (site / "site.json", site / "site.toml") if p.is_file())
    readings = site / "readings.csv.gz"
    table = Table()
    with tempfile.TemporaryDirectory() as out, setting.times(scale):
        for moment, finding in Replay(load_site(plan)).run(rows(readings)):
            table.told(moment, finding)
        alarms = Path(out) / "alarms.csv"
        table.write(alarms)
        counted = judge.score_site(
            str(readings), str(site / "events.csv"), str(alarms), Namespace(**RULES), site.name
        )
    return Played(site.name, counted, 0.0, 0.0)


def table(judge: Any, name: str, group: str, played: Scaled, most: float) -> list[list[str]]:
    """A row for each scale, and one for what each site's others choose."""
    told = [
        [name, group, f"times {scale}", *_cells(judge, group, here)]
        for scale, here in played.items()
    ]
    left, choices = [], []
    for n in range(len(played[1.0])):
        others = {
            scale: _part(judge, group, [*here[:n], *here[n + 1 :]])
            for scale, here in played.items()
        }
        choices.append(choose(others, most))
        left.append(played[choices[-1]][n])
    chosen = ", ".join(f"{scale} by {n}" for scale, n in sorted(Counter(choices).items()))
    return [*told, [name, group, f"each left out once ({chosen})", *_cells(judge, group, left)]]


def choose(parts: Mapping[float, Mapping[str, Any]], most_false: float) -> float:
    """The scale that finds most at few false alarms; of equals the least sensitive.

    >>> parts = {0.8: {"found": 9, "false_per_year": 3.0}, 1.0: {"found": 7, "false_per_year": 1.0}}
    >>> choose(parts, 2.0), choose(parts, 4.0), choose(parts, 0.5)
    (1.0, 0.8, 1.0)
    """

    def worth(scale: float) -> tuple[bool, float, float]:
        part = parts[scale]
        few = part["false_per_year"] <= most_false
        return few, part["found"] if few else -part["false_per_year"], scale

    return max(parts, key=worth)


def _part(judge: Any, group: str, played: Sequence[Played]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = figures(judge, list(played)).get(group, NOTHING)
    return part


def _cells(judge: Any, group: str, played: Sequence[Played]) -> list[str]:
    part = _part(judge, group, played)
    delay = part["median_delay_h"]
    return [
        f"{part['found']}/{part['total']}",
        f"{part['chance_found']:.1f}",
        f"{part['false_per_year']:.2f}",
        "-" if delay is None else f"{delay:.1f}",
    ]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
