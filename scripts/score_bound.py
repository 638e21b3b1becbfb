# SPDX-License-Identifier: MIT
"""What the best detector could tell of a sudden leak in the real districts, if it knew when.

    scripts/score_bound.py

The change is known to the hour, and so is how nights and days of the district scatter together:
a matched filter over the fortnight before and one to three nights after, with the covariance of
the district's own windows (nights that resemble their neighbours are in it). Its limit lets two
alarms a year pass where nothing was added. What half of the leaks must reach to pass it, no
detector that has to search for the time can do with less.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.score_drawn import SET
from scripts.score_sets import REPO, ScoreError, scorer, sites
from scripts.score_towns import people

BEFORE, FALSE_A_YEAR, APART_DAYS = 14, 2.0, 3
QUIET_H, LOWEST_H, FEWEST_H, WEEK = 4, 3, 12, 7
CLIP = 4.0  # scatters: one feast does not make the covariance
Series = NDArray[np.float64]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    args = parser.parse_args()
    if not sites(args.train / SET):
        raise ScoreError(f"{args.train / SET}: expected sites; say --train FOLDER")
    judge = scorer(args.train / "score_alarms.py")
    for name, used in people(args.train).items():
        events = judge.read_events(str(args.train / SET / name / "events.csv"))
        days, mean = _days(used)
        told = [f"{after}: {100 * least(days, after) / mean:.1f} %" for after in (1, 2, 3)]
        sizes = sorted(round(100 * event["size"] / mean, 1) for event in events)
        print(
            f"{name}: told by half from, after so many nights, {', '.join(told)}; added {sizes} %"
        )
    return 0


def least(days: Series, after: int) -> float:
    """L/s that half of the leaks must reach; `days` has night and day in its columns."""
    long = BEFORE + after
    windows = np.array([days[i : i + long].T.ravel() for i in range(len(days) - long + 1)])
    windows = windows[np.isfinite(windows).all(axis=1)]
    ones = np.ones(long) / long
    level = np.eye(2 * long) - np.kron(np.eye(2), np.outer(np.ones(long), ones))
    leak = level @ np.tile(np.r_[np.zeros(BEFORE), np.ones(after)], 2)
    flat = windows @ level
    middle = np.median(flat, axis=0)
    most = CLIP * 1.4826 * np.median(np.abs(flat - middle), axis=0) + 1e-9
    off = np.clip(flat - middle, -most, most)
    covariance = off.T @ off / len(off) + 1e-3 * np.var(flat) * np.eye(2 * long)
    weights = np.linalg.solve(covariance, leak)
    steps = np.asarray(flat @ weights / (weights @ leak))
    most_alarms = FALSE_A_YEAR * len(steps) / 365.25
    limit = float(np.max(steps))
    for found in np.sort(steps)[::-1]:
        rang = np.flatnonzero(steps >= found)
        if 1 + np.count_nonzero(np.diff(rang) > APART_DAYS) > most_alarms:
            break
        limit = float(found)
    return limit


def _days(used: dict[datetime, float]) -> tuple[Series, float]:
    """Night and rest of each day, without what its weekday has of its own; and the mean use."""
    first = min(used)
    hours: Series = np.full(((max(used) - first).days + 1, 24), np.nan)
    for t, lps in used.items():
        hours[(t.date() - first.date()).days % len(hours), t.hour] = lps
    order = np.argsort(np.nanmean(hours, axis=0))
    quiet, rest = hours[:, order[:QUIET_H]], hours[:, order[QUIET_H:]]
    known = np.isfinite(rest).sum(axis=1)
    by_day = np.nansum(rest, axis=1) / np.where(known >= FEWEST_H, known, np.nan)
    found = np.c_[np.sort(quiet, axis=1)[:, :LOWEST_H].mean(axis=1), by_day]
    for weekday in range(WEEK):
        found[weekday::WEEK] -= np.nanmedian(found[weekday::WEEK], axis=0)
    return found, float(np.nanmean(hours))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
