# SPDX-License-Identifier: MIT
"""make score: the detectors on recorded and simulated sites, beside the last committed figures.

    scripts/score.py                          every set and the twelve simulated sites
    scripts/score.py --set kahriz --site s01 --verbose
    scripts/score.py --save                   store the figures: scripts/score.json, SCORES.md

The simulated sites are kept in build/score; delete the folder to make them anew.

The sets lie outside the repository (--train, ../shared/train); only counts are stored here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.score_sets import REPO, Played, ScoreError, figures, load_last, play_all, scorer, sites

LAST = REPO / "scripts" / "score.json"
PAPER = REPO / "gateway" / "kahriz_detect" / "SCORES.md"
TRIED = REPO / "scripts" / "score_tried.txt"  # the end of the paper, written by hand
SIMULATED = "simulated"
BY_SITE = ("sites", "others")  # not groups of events
LEFT_OUT = "left_out"  # no set: what score_left_out.py found in each set
DRAWN = "drawn"  # nor this: what score_drawn_sets.py drew into each
LEFT_OUT_HEAD = ("setting", "group", "limits", "found", "chance", "false/yr", "median h")
HEAD = ("group", "found", "chance", "false/yr", "median h", "90 % h", "place", "repeats")


def main() -> int:
    args = _arguments()
    judge = scorer(args.train / "score_alarms.py")
    last, now = load_last(LAST), {}
    folders = {p.name: p for p in sorted(args.train.iterdir()) if sites(p)}
    wanted = [*folders, SIMULATED] if args.set is None else args.set
    with tempfile.TemporaryDirectory() as temporary:
        out = args.keep or Path(temporary)
        if SIMULATED in wanted:
            from scripts.score_simulated import make_sites

            folders[SIMULATED] = make_sites(REPO / "build" / "score")
        for name in wanted:
            if name not in folders:
                raise ScoreError(f"--set {name}: expected one of {', '.join(folders)}")
            played = play_all(folders[name], out / name, judge, args.jobs, args.site)
            now[name] = figures(judge, played)
            if args.save:
                now[name]["sites"] = {p.name: figures(judge, [p]) for p in played}
                now[name]["others"] = {
                    p.name: figures(judge, [o for o in played if o is not p])
                    for p in played
                    if len(played) > 1
                }
            _tell(name, played, now[name], last.get(name, {}))
            if args.verbose:
                _tell_events(played)
            _tell_left_out(judge, played)
    if args.save:
        save({**last, **now})
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--train", type=Path, default=REPO.parent / "shared" / "train")
    parser.add_argument("--set", action="append", help=f"a folder of --train, or {SIMULATED}")
    parser.add_argument("--site", help="only this site")
    parser.add_argument("--jobs", type=int, default=1, help="replays at a time")
    parser.add_argument("--keep", type=Path, help="leave the alarm tables in this folder")
    parser.add_argument("--verbose", action="store_true", help="every event, and what was false")
    parser.add_argument("--save", action="store_true", help="store the figures as the last ones")
    args = parser.parse_args()
    if not args.train.is_dir():
        parser.error(f"{args.train} is not there: say --train FOLDER")
    if args.save and args.site:
        parser.error("--save stores whole sets: leave --site out")
    return args


def _tell(name: str, played: list[Played], now: dict[str, Any], last: dict[str, Any]) -> None:
    seconds = max((p.s_per_million for p in played), default=0.0)
    peak = max((p.peak_mb for p in played), default=0.0)
    readings = sum(p.counted["readings"] for p in played)
    print(f"\n{name}: {len(played)} sites, {readings} readings")
    print(f"  CPU at most {seconds:.1f} s a million readings, memory at most {peak:.0f} MB")
    rows: list[tuple[str, ...]] = [HEAD]
    for group, part in now.items():
        if group in BY_SITE:
            continue
        rows.append(_cells(group, part))
        if group in last:
            rows.append(_cells("  last", last[group]))
    widths = [max(len(r[i]) for r in rows) for i in range(len(HEAD))]
    for row in rows:
        print("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _cells(name: str, part: dict[str, Any]) -> tuple[str, ...]:
    def hours(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return (
        name,
        f"{part['found']}/{part['total']}",
        f"{part['chance_found']:.1f}",
        f"{part['false_per_year']:.2f}",
        hours(part["median_delay_h"]),
        hours(part["p90_delay_h"]),
        f"{part['place_right']}/{part['found']}",
        str(part["repeats"]),
    )


def _tell_events(played: list[Played]) -> None:
    for site in played:
        for row in site.counted["rows"]:
            word = "found " if row["found"] else "MISSED"
            delay = f"{row['delay_h']:.1f} h" if row["found"] else ""
            size = f"{row['kind']} ({row['growth']}, {row['size_class']})"
            print(f"  {word} {site.name} {row['event']} {size} {row['start']} {delay}")
        for line in site.alarms:
            print(f"    alarm {site.name} {line}")


def _tell_left_out(judge: Any, played: list[Played]) -> None:
    """No site may carry the others: its own share beside that of all the rest."""
    print("  left out: the site itself | all others")
    for site in played:
        own = figures(judge, [site])
        others = figures(judge, [p for p in played if p is not site]) if len(played) > 1 else {}
        cells = [f"{g} {_share(own[g])} | {_share(others.get(g, {}))}" for g in own]
        print(f"    {site.name}: " + "; ".join(cells))


def _share(part: dict[str, Any]) -> str:
    if not part:
        return "-"
    return f"{part['found']}/{part['total']}, {part['false_per_year']:.2f} false/yr"


def save(kept: dict[str, Any]) -> None:
    """Write score.json, and SCORES.md from it."""
    LAST.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    lines = [
        "# Scores of the detectors",
        "",
        "Written by `make score ARGS=--save`; rules and sets: README.md of the sets. *Chance* is",
        "what the same alarms, moved round in time, would find. *False* is per site and year.",
        "",
    ]
    for name, groups in sorted(kept.items()):
        if name in (LEFT_OUT, DRAWN):
            continue
        lines += [f"## {name}", "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
        lines += [
            "| " + " | ".join(_cells(group, part)) + " |"
            for group, part in sorted(groups.items())
            if group not in BY_SITE
        ]
        lines += ["", "Each site for itself | the set without it (found/total, false a year):", ""]
        others = groups.get("others", {})
        for site, own in sorted(groups.get("sites", {}).items()):
            rest = others.get(site, {})
            lines.append(
                f"- {site}: "
                + "; ".join(f"{g} {_share(p)} | {_share(rest.get(g, {}))}" for g, p in own.items())
            )
        lines.append("")
        told = kept.get(LEFT_OUT, {}).get(name)
        if told:
            lines += ["Settings chosen without the site (`make score-left-out`):", ""]
            lines += ["| " + " | ".join(LEFT_OUT_HEAD) + " |", "|---" * len(LEFT_OUT_HEAD) + "|"]
            lines += ["| " + " | ".join(cells) + " |" for cells in told] + [""]
        drawn = kept.get(DRAWN, {}).get(name)
        if drawn:
            lines += ["Other trouble drawn into the same water, on which nothing was chosen", ""]
            lines[-2] += f" (`make score-drawn ARGS='--set {name} --save'`):"
            lines += ["| " + " | ".join(drawn[0]) + " |", "|---" * len(drawn[0]) + "|"]
            lines += ["| " + " | ".join(cells) + " |" for cells in drawn[1:]] + [""]
    lines.append(TRIED.read_text(encoding="utf-8"))
    PAPER.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ScoreError as error:
        sys.exit(f"score: {error}")
