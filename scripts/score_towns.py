# SPDX-License-Identifier: MIT
"""Towns of two feeds and a tank, lived in by the people of real districts, with leaks drawn in.

    scripts/score_towns.py                   twelve towns of a year each
    scripts/score_towns.py --first 100       towns 100 to 111

What the main zone uses is what a district of dma_real used, hour by hour, scaled; the tank's zone
is another one. Sixteen nodes share it as their own mixtures of districts do, and EPANET (WNTR)
says what each feed gives. The leaks are like the public lists of BattLeDIM: half abrupt, half
growing for weeks, several at a time. In some towns somebody turns a valve at a feed, which is no
leak; the districts keep the unlabelled leaks of their own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import json
import math
import random
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, Table, rows
from scripts.score_drawn import SET, Leak, lost, tell, without
from scripts.score_sets import REPO, RULES, Played, ScoreError, scorer, sites

DAYS, STEP_S, A_DAY = 365, 900, 96
STEPS = DAYS * A_DAY
SIDE = 4  # nodes of the main zone along each side
MAIN_LPS, HIGH_LPS, PUMP_LPS = 36.0, 6.5, 12.3
AREA_M2, LOW_M, FULL_M = 201.06, 2.3, 3.9
HEAD_M = 50.0
FIRST_DAY, LAST_DAY = 8, 345  # of leaks
HIGH_SHARE = 0.12  # of the leaks that are above the pump
MOST_HIGH_LPS = 4.5  # there: the pump still fills the tank
SITE: dict[str, Any] = {
    "interval_s": STEP_S,
    "sensors": {
        "F1": {"quantity": "flow_lps", "role": "inflow from reservoir R1"},
        "F2": {"quantity": "flow_lps", "role": "inflow from reservoir R2"},
        "P1": {"quantity": "flow_lps", "role": "transfer from main zone into tank T1"},
        "T1": {"quantity": "level_m", "role": "tank level", "area_m2": AREA_M2},
    },
    "balance": "main-zone use + leaks = F1 + F2 - P1; "
    "high-zone use + leaks = P1 - area * dlevel/dt",
}
Series = NDArray[np.float64]
Use = dict[str, dict[datetime, float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--first", type=int, default=0, help="number of the first town")
    parser.add_argument("--towns", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=2, help="towns at a time")
    args = parser.parse_args()
    if not sites(args.train / SET):
        raise ScoreError(f"{args.train / SET}: expected sites; say --train FOLDER")
    numbers = range(args.first, args.first + args.towns)
    with ProcessPoolExecutor(args.jobs) as pool:
        played = list(pool.map(play, numbers, repeat(args.train)))
    judge = scorer(args.train / "score_alarms.py")
    for one in played:
        tell(judge, one.name, [one])
    tell(judge, "all", played)
    return 0


def play(number: int, train: Path) -> Played:
    """A town, replayed and judged."""
    judge = scorer(train / "score_alarms.py")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(number, people(train), folder)
        table, alarms = Table(), folder / "alarms.csv"
        for moment, finding in Replay(load_site(folder / "site.json")).run(
            rows(folder / "readings.csv.gz")
        ):
            table.told(moment, finding)
        table.write(alarms)
        rules = Namespace(**{**RULES, "chance": 20})
        files = (folder / "readings.csv.gz", folder / "events.csv", alarms)
        counted = judge.score_site(*map(str, files), rules, f"town{number}")
    return Played(f"town{number}", counted, 0.0, 0.0)


def people(train: Path) -> Use:
    """What the districts used, hour by hour, without the leaks that were added."""
    judge = scorer(train / "score_alarms.py")
    return {
        site.name: without(site, judge.read_events(str(site / "events.csv")))
        for site in sites(train / SET)
    }


def make(number: int, used: Use, folder: Path) -> None:
    """Draws the town and writes it as a site of a set is written."""
    rng, dice = random.Random(f"town {number}"), np.random.default_rng(number)
    names = rng.sample(sorted(used), len(used))
    first = min(used[names[0]])
    room = (max(used[names[0]]) - first).days - DAYS - 1
    begin = first + timedelta(days=rng.randrange(max(1, room)))
    times = [begin + timedelta(seconds=STEP_S * i) for i in range(STEPS)]
    lived = {name: _lived(used[name], begin, dice) for name in names}
    leaks, nodes = draw(rng, begin)
    runs = [np.array([lost([leak], t) for t in times]) for leak in leaks]
    nothing: Series = np.zeros(STEPS)
    high = HIGH_LPS * lived[names[1]]
    high = high + sum((run for run, n in zip(runs, nodes, strict=True) if n is None), nothing)
    pump, level = _tank(high, dice)
    demand = MAIN_LPS * lived[names[0]] * _shares(lived, dice)
    for run, node in zip(runs, nodes, strict=True):
        if node is not None:
            demand[node] += run
    demand[rng.randrange(SIDE * SIDE)] += pump
    feeds = _feeds(demand, _heads(rng, dice), rng)
    read = [f * (1.0 + 0.002 * dice.standard_normal(STEPS)) for f in (*feeds, pump)]
    _write(folder, number, times, dict(zip(SITE["sensors"], [*read, level], strict=True)), leaks)


def draw(rng: random.Random, begin: datetime) -> tuple[list[Leak], list[int | None]]:
    """Leaks as in the lists of BattLeDIM, and the node of each; None above the pump.

    >>> leaks, nodes = draw(random.Random(1), datetime(2021, 1, 1))
    >>> len(leaks) == len(nodes), {leak["growth"] for leak in leaks} == {"abrupt", "quadratic"}
    (True, True)
    """
    leaks, nodes = list[Leak](), list[int | None]()
    for n in range(rng.randint(12, 18)):
        start = begin + timedelta(minutes=15 * rng.randrange(FIRST_DAY * A_DAY, LAST_DAY * A_DAY))
        kind = rng.choice(("abrupt", "abrupt", "large", "small"))
        low, high = {"abrupt": (3.0, 9.5), "large": (3.5, 10.0), "small": (1.2, 2.2)}[kind]
        node = None if rng.random() < HIGH_SHARE else rng.randrange(SIDE * SIDE)
        size = math.exp(rng.uniform(math.log(low), math.log(high)))
        size = min(size, MOST_HIGH_LPS) if node is None else size
        days = {"abrupt": (0.0, 0.0), "large": (3.0, 60.0), "small": (15.0, 100.0)}[kind]
        peak = start + timedelta(minutes=15 * int(A_DAY * rng.uniform(*days)))
        lasts = rng.uniform(60.0, 300.0) if kind == "small" else rng.uniform(5.0, 26.0)
        end = min(peak + timedelta(days=lasts), begin + timedelta(days=DAYS, minutes=-5))
        growth = "abrupt" if kind == "abrupt" else "quadratic"
        leak: Leak = {"event": f"e{n}", "kind": "leak", "place": "town", "start": start}
        leak |= {"end": end, "peak": peak, "size": round(size, 3), "size_unit": "L/s"}
        leaks.append(leak | {"growth": growth, "counted": 1})
        nodes.append(node)
    return leaks, nodes


def _lived(hours: dict[datetime, float], begin: datetime, dice: np.random.Generator) -> Series:
    """A year of a district by quarters of an hour, around 1; a gap is the week before."""
    mean, found = sum(hours.values()) / len(hours), list[float]()
    for h in range(24 * DAYS + 2):
        value = hours.get(begin + timedelta(hours=h))
        if value is None:
            value = mean * (found[h - 168] if h >= 168 else 1.0)
        found.append(value / mean)
    quarters = np.interp(np.arange(STEPS) / 4.0, np.arange(len(found)), found)
    rough = dice.standard_normal(STEPS).reshape(-1, 4)  # people do not use water by the hour
    rough -= rough.mean(axis=1, keepdims=True)
    return np.asarray(quarters * (1.0 + 0.06 * rough.ravel()))


def _shares(lived: dict[str, Series], dice: np.random.Generator) -> NDArray[np.float64]:
    """What share of the main zone each node takes: as a mixture of districts, and by its own."""
    many = SIDE * SIDE
    mixture = dice.dirichlet(np.full(len(lived), 2.0), many)
    taken = dice.uniform(0.4, 1.6, (many, 1)) * (mixture @ np.array(list(lived.values())))
    for scatter, hours in ((0.03, 120.0), (0.08, 2.0)):
        taken *= np.exp(scatter * np.array([_wander(dice, hours) for _ in range(many)]))
    return np.asarray(taken / taken.sum(axis=0))


def _wander(dice: np.random.Generator, hours: float) -> Series:
    """Noise of scatter 1 that remembers itself for so long."""
    keep = math.exp(-1.0 / (4.0 * hours))
    steps = math.sqrt(1.0 - keep * keep) * dice.standard_normal(STEPS)
    found, value = np.empty(STEPS), 0.0
    for i, step in enumerate(steps):
        value = keep * value + step
        found[i] = value
    return found


def _tank(high: Series, dice: np.random.Generator) -> tuple[Series, Series]:
    """A pump that fills the tank from LOW_M to FULL_M, and the level that is read."""
    pump, level, m, runs = np.zeros(STEPS), np.zeros(STEPS), 3.5, True
    for i in range(STEPS):
        runs = m < FULL_M if runs else m < LOW_M
        level[i] = m
        pump[i] = PUMP_LPS * runs
        m = max(0.0, m + (pump[i] - high[i]) * STEP_S / 1000.0 / AREA_M2)
    return pump, level + 0.003 * dice.standard_normal(STEPS)


def _heads(rng: random.Random, dice: np.random.Generator) -> list[Series]:
    """Of the two feeds: valves that wander by centimetres, and perhaps one that is turned."""
    heads = [HEAD_M + rng.uniform(0.01, 0.05) * _wander(dice, 72.0) for _ in range(2)]
    if rng.random() < 0.5:
        turned = rng.randrange(30 * A_DAY, LAST_DAY * A_DAY)
        heads[rng.randrange(2)][turned:] += rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.5)
    return heads


def _feeds(demand: Series, heads: list[Series], rng: random.Random) -> Iterator[Series]:
    """What each feed gives: EPANET over a grid of pipes of drawn lengths."""
    wntr = importlib.import_module("wntr")
    net = wntr.network.WaterNetworkModel()
    span = net.options.time
    span.hydraulic_timestep = span.pattern_timestep = span.report_timestep = STEP_S
    span.duration = (STEPS - 1) * STEP_S
    for n, used in enumerate(demand):
        net.add_pattern(f"p{n}", list(used / 1000.0))
        net.add_junction(f"j{n}", base_demand=1.0, demand_pattern=f"p{n}")
    for n in range(SIDE * SIDE):
        ahead = [n + 1] if n % SIDE < SIDE - 1 else []
        for to in [*ahead, *([n + SIDE] if n + SIDE < SIDE * SIDE else [])]:
            length, wide = rng.uniform(250.0, 800.0), rng.choice((0.1, 0.15, 0.25))
            net.add_pipe(f"{n}-{to}", f"j{n}", f"j{to}", length, wide, 110)
    for n, (head, node) in enumerate(zip(heads, rng.sample(range(SIDE * SIDE), 2), strict=True)):
        net.add_pattern(f"h{n}", list(head))
        net.add_reservoir(f"R{n}", base_head=1.0, head_pattern=f"h{n}")
        net.add_pipe(f"in{n}", f"R{n}", f"j{node}", rng.uniform(100.0, 400.0), 0.3, 120)
    with tempfile.TemporaryDirectory() as folder:
        result = wntr.sim.EpanetSimulator(net).run_sim(file_prefix=str(Path(folder, "town")))
    return (1000.0 * result.link["flowrate"][f"in{n}"].to_numpy() for n in range(2))


def _write(
    folder: Path, number: int, times: list[datetime], read: dict[str, Series], leaks: list[Leak]
) -> None:
    (folder / "site.json").write_text(json.dumps({"site": "town", **SITE}), encoding="utf-8")
    with (folder / "events.csv").open("w", newline="", encoding="utf-8") as handle:
        table = csv.DictWriter(handle, list(leaks[0]))
        table.writeheader()
        table.writerows(leaks)
    quantity = {key: sensor["quantity"] for key, sensor in SITE["sensors"].items()}
    path = folder / "readings.csv.gz"
    with gzip.open(path, "wt", newline="", encoding="utf-8", compresslevel=1) as handle:
        handle.write("time,sensor,quantity,value\n")
        for i, t in enumerate(times):
            text = t.strftime("%Y-%m-%dT%H:%M")
            for key, values in read.items():
                places = 2 if key == "T1" else 3
                handle.write(f"{text},{key},{quantity[key]},{values[i]:.{places}f}\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
