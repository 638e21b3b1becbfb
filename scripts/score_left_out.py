# SPDX-License-Identifier: MIT
"""Thresholds chosen on all sites of a set but one, and judged on that one.

    scripts/score_left_out.py                     dma_real, limits of the use detector
    scripts/score_left_out.py --save              and write it into SCORES.md

Every site is replayed with the limits times each of SCALES. For each site the scale is taken that
finds most on the others at no more than --false false alarms a site-year (the fewest, where none
keeps that); the figures printed last are those of the sites on which nothing was chosen.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kahriz_detect.numbers import glr, nights
from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, Table, rows
from scripts.score import LAST, LEFT_OUT, save
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

SCALES = (0.8, 0.9, 1.0, 1.1, 1.25)
GROUP = "loss"
NOTHING = {  # neither losses nor alarms
    "found": 0,
    "total": 0,
    "chance_found": 0.0,
    "false_per_year": 0.0,
    "median_delay_h": None,
}
WINDOWS, Z = nights.WINDOWS, dict(glr.Z)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--set", default="dma_real", help="a folder of --train")
    parser.add_argument("--false", type=float, default=2.0, help="false alarms a site-year")
    parser.add_argument("--save", action="store_true", help="write it into SCORES.md, too")
    args = parser.parse_args()
    folders = sites(args.train / args.set)
    if len(folders) < 2:
        raise ScoreError(f"--set {args.set}: expected a set of at least two sites in {args.train}")
    judge = scorer(args.train / "score_alarms.py")
    with tempfile.TemporaryDirectory() as out:
        played = {
            scale: [_play(site, scale, Path(out) / "alarms.csv", judge) for site in folders]
            for scale in SCALES
        }
    told = [f"limits times {scale}: {_words(judge, here)}" for scale, here in played.items()]
    left = []
    for n, site in enumerate(folders):
        others = {s: _part(judge, here[:n] + here[n + 1 :]) for s, here in played.items()}
        scale = choose(others, args.false)
        left.append(played[scale][n])
        told.append(f"{site.name}: the others choose {scale}: {_words(judge, left[-1:])}")
    told.append(f"all, each left out once: {_words(judge, left)}")
    print("\n".join(told))
    if args.save:
        kept = load_last(LAST)
        save({**kept, LEFT_OUT: {**kept.get(LEFT_OUT, {}), args.set: told}})
    return 0


def _play(site: Path, scale: float, alarms: Path, judge: Any) -> Played:
    nights.WINDOWS = tuple(replace(w, z=w.z * scale) for w in WINDOWS)
    glr.Z.update({days: z * scale for days, z in Z.items()})
    try:
        plan = next(p for p in (site / "site.json", site / "site.toml") if p.is_file())
        table = Table()
        readings = site / "readings.csv.gz"
        for moment, finding in Replay(load_site(plan)).run(rows(readings)):
            table.told(moment, finding)
        table.write(alarms)
    finally:
        nights.WINDOWS = WINDOWS
        glr.Z.update(Z)
    counted = judge.score_site(
        str(readings), str(site / "events.csv"), str(alarms), Namespace(**RULES), site.name
    )
    return Played(site.name, counted, 0.0, 0.0)


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


def _part(judge: Any, played: list[Played]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = figures(judge, played).get(GROUP, NOTHING)
    return part


def _words(judge: Any, played: list[Played]) -> str:
    part = _part(judge, played)
    delay = part["median_delay_h"]
    hours = "-" if delay is None else f"{delay:.0f} h"
    return (
        f"{part['found']}/{part['total']} (chance {part['chance_found']:.1f}), "
        f"{part['false_per_year']:.2f} false a site-year, {hours}"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
