# SPDX-License-Identifier: MIT
"""Other trouble in the same water: kahrizes and rivers with events that no limit was chosen on.

    scripts/score_drawn.py --set kahriz              copies 10 to 19 of each site
    scripts/score_drawn.py --set lro_faults --first 0
    scripts/score_drawn.py --set kahriz --save       and write it into SCORES.md

A copy is a recording without its own events (drawn_water.py) or beside them (drawn_rivers.py), with
others drawn from its number. Limits are chosen on copies 0 to 9, and judged on 10 to 19.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from kahriz_detect.finding import Sample
from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, Table
from scripts import drawn_rivers, drawn_trouble, drawn_water
from scripts.drawn_water import Series
from scripts.score import DRAWN, LAST, save
from scripts.score_sets import REPO, RULES, Played, ScoreError, figures, load_last, scorer, sites

SETS = ("kahriz", "lro_faults")
JUDGED = 10  # the first copy on which nothing was chosen
CHANCE = 20
HEAD = ("found", "chance", "false/yr", "median h", "place")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--set", choices=SETS, default=SETS[0])
    parser.add_argument("--site", help="only this site")
    parser.add_argument("--first", type=int, default=JUDGED, help="number of the first copy")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="sites at a time")
    parser.add_argument("--verbose", action="store_true", help="what was missed, what was false")
    parser.add_argument("--save", action="store_true", help="write it into SCORES.md, too")
    args = parser.parse_args()
    if args.save and (args.site or args.first != JUDGED):
        parser.error("--save stores what was found on the judging copies of all sites")
    folders = [s for s in sites(args.train / args.set) if args.site in (None, s.name)]
    if not folders:
        raise ScoreError(f"{args.train / args.set}: expected sites; say --train FOLDER")
    judge = scorer(args.train / "score_alarms.py")
    copies = range(args.first, args.first + args.copies)
    with ProcessPoolExecutor(args.jobs) as pool:
        todo = pool.map(play_site, folders, repeat(args.train), repeat(copies))
        played = [copy for site in todo for copy in site]
    rows = table(judge, played)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
    if args.verbose:
        print("\n".join(doubtful(played)))
    if args.save:
        kept = load_last(LAST)
        save({**kept, DRAWN: {**kept.get(DRAWN, {}), args.set: rows}})
    return 0


def play_site(site: Path, train: Path, copies: Sequence[int]) -> list[Played]:
    judge = scorer(train / "score_alarms.py")
    return [play(judge, site, copy) for copy in copies]


def play(judge: Any, site: Path, copy: int) -> Played:
    """A copy of a site with its own trouble, replayed and judged."""
    found = Table()
    if site.parent.name == SETS[0]:
        water = drawn_water.calm(site)
        series, events = drawn_trouble.drawn(water, copy)
        first, step_s, quantities = water.first, drawn_water.STEP_S, drawn_water.QUANTITIES
    else:
        river = drawn_rivers.river(site)
        series, events = drawn_rivers.drawn(river, copy)
        first, step_s, quantities = river.first, drawn_rivers.STEP_S, river.quantities
    read = samples(first, step_s, quantities, series)
    for moment, finding in Replay(load_site(site / "site.json")).run(read):
        found.told(moment, finding)
    if site.parent.name != SETS[0]:
        found.alarms = [
            a for a in found.alarms if not drawn_rivers.beside(river, a.place, _time(a.start))
        ]
    steps = len(next(iter(series.values())))
    with tempfile.TemporaryDirectory() as folder:
        span, told, alarms = (Path(folder) / f"{n}.csv" for n in ("span", "events", "alarms"))
        _write_span(span, first, step_s, steps)
        with told.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(events[0]))
            writer.writeheader()
            writer.writerows(events)
        found.write(alarms)
        rules = Namespace(**{**RULES, "chance": CHANCE})
        name = f"{site.name}-{copy}"
        counted = judge.score_site(str(span), str(told), str(alarms), rules, name)
        counted["false_alarms"] = _false(judge, told, alarms, rules)
    return Played(name, counted, 0.0, 0.0, [",".join(line) for line in found.lines()])


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)


def _false(judge: Any, told: Path, alarms: Path, rules: Namespace) -> list[str]:
    read = judge.read_alarms(str(alarms))
    false = judge.assign(judge.read_events(str(told)), read, rules)[1]
    return [f"{read[n]['start']} {read[n]['kind']} {read[n]['place']}" for n in false]


def samples(
    first: datetime, step_s: int, quantities: Mapping[str, str], series: Mapping[str, Series]
) -> Iterator[tuple[int, Sample]]:
    """The readings in order of time, as `kahriz replay` reads them from a file."""
    ts = round(first.replace(tzinfo=UTC).timestamp() * 1000)
    columns = [(key, quantities[key], values) for key, values in sorted(series.items())]
    for n in range(len(columns[0][2])):
        for key, quantity, values in columns:
            value = values[n]
            if value is not None:
                yield ts, Sample(ts, key, quantity, value)
        ts += step_s * 1000


def _write_span(path: Path, first: datetime, step_s: int, steps: int) -> None:
    """All that the scorer asks of the readings: when they begin and end."""
    times = (first, first + timedelta(seconds=(steps - 1) * step_s))
    lines = [f"{t:%Y-%m-%dT%H:%M},-,-,0" for t in times]
    path.write_text("\n".join(["time,sensor,quantity,value", *lines]) + "\n", encoding="utf-8")


def table(judge: Any, played: list[Played]) -> list[list[str]]:
    """Rows: groups of the scorer, then each kind and size for itself."""
    years = sum(p.counted["years"] for p in played)
    rows = [[f"{len(played)} copies, {years:.1f} site-years", *HEAD]]
    for group, part in figures(judge, played).items():
        delay = part["median_delay_h"]
        cells = [group, f"{part['found']}/{part['total']}", f"{part['chance_found']:.1f}"]
        cells += [f"{part['false_per_year']:.2f}", "-" if delay is None else f"{delay:.1f}"]
        rows.append([*cells, f"{part['place_right']}/{part['found']}"])
    kinds = defaultdict[str, list[dict[str, Any]]](list)
    for row in (row for p in played for row in p.counted["rows"]):
        kinds[row["event"].partition(" ")[2]].append(row)
    for kind, events in sorted(kinds.items()):
        delays = [row["delay_h"] for row in events if row["found"]]
        right = sum(row["place_right"] for row in events if row["found"])
        middle = f"{median(delays):.1f}" if delays else "-"
        cells = [kind, f"{len(delays)}/{len(events)}", "", "", middle, f"{right}/{len(delays)}"]
        rows.append(cells)
    return rows


def doubtful(played: list[Played]) -> list[str]:
    lines = []
    for site in played:
        for row in site.counted["rows"]:
            if not row["found"]:
                lines.append(f"  MISSED {site.name} {row['event']} {row['start']}")
        lines += [f"  FALSE  {site.name} {false}" for false in site.counted["false_alarms"]]
    return lines


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
