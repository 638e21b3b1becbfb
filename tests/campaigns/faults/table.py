# SPDX-License-Identifier: MIT
"""Writes what campaigns found into docs/faults.md: a row a fault, from the lines that `--out` kept.

    python -m tests.campaigns.faults.table [--virtual FILE …] [--real FILE] [--mutants FILE]

Only the parts whose file is given are written anew. A schedule with three faults counts in the row
of each; the last row counts every schedule once. Files are given in the order in which they were
lived: a seed counts as it was lived last, and the commits are named.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from .lines import Line, joined, lines_of

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "faults.md"
SUMS = ("measured", "stored", "pending", "missing", "lost", "doubled", "late_stamps",
        "alarms_right", "alarms_wrong", "alarms_lost", "database_lacks",
        "database_lacks_alarms")  # fmt: skip
HEAD = (
    "| fault | schedules | measured | stored | pending | missing, named | lost | doubled |"
    " stamps off | alarms right / wrong / lost | not in the database | unreadable, excused |"
    " whole again after, median; worst |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def by_kind(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The schedules of each fault, and all of them."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for kind in sorted(set(line["kinds"])):
            found[kind].append(line)
    return dict(sorted(found.items()))


def row(name: str, lines: list[Line]) -> str:
    total = {key: sum(line.get(key, 0) for line in lines) for key in SUMS}
    excused = sum(len(line.get("excused", ())) for line in lines)
    lacks = total["database_lacks"] + total["database_lacks_alarms"]
    after = [line["recovery_s"][name] for line in lines if name in line["recovery_s"]]
    again = f"{_span(median(after))}; {_span(max(after))}" if after else ""
    alarms = f"{total['alarms_right']} / {total['alarms_wrong']} / {total['alarms_lost']}"
    cells = [
        name.replace("_", " "), f"{len(lines):,}", f"{total['measured']:,}", f"{total['stored']:,}",
        total["pending"], total["missing"], total["lost"], total["doubled"], total["late_stamps"],
        alarms, lacks, excused, again,
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def virtual(paths: list[Path]) -> str:
    found = joined(paths)
    lines = found.lines
    seeds = [line["seed"] for line in lines]
    broken = [line for line in lines if line["faults"]]
    cut = sum(line["cut_short"] for line in lines)
    rows = [row(kind, some) for kind, some in by_kind(lines).items()]
    gaps = max(seeds) - min(seeds) + 1 - len(seeds)
    without = f" without {gaps:,} of them" if gaps else ""
    words = (
        f"{len(lines):,} schedules, seeds {min(seeds)} to {max(seeds)}{without},"
        f" {len(broken)} broken."
        f" {machine()} {found.words()}\n\n`python -m tests.campaigns.faults.campaign"
        f" --seed {min(seeds)} --runs {max(seeds) - min(seeds) + 1} --out FILE`\n\n"
    )
    whole = row("**all, each once**", lines)
    more = (
        f"\n\nMeasured and not stored are the {cut} readings whose wake the power ended before"
        " they were written down, and those named as missing (dated 2036 by a clock that the"
        " network itself had set wrong: their bytes lie in quarantine)."
        f" {sum(line['texts'] for line in lines)} urgent texts left;"
        f" {sum(line['copies_marked'] for line in lines)} copies, each marked as one,"
        f" {sum(line['copies_unmarked'] for line in lines)} unmarked."
        f" {sum(line['alarms_unknowable'] for line in lines)} losses of water came so that the"
        " gateway could not know of them in time."
    )
    gone = [f"seed {line['seed']}: {each}" for line in lines for each in line.get("excused", ())]
    if gone:
        more += " Excused by name: " + "; ".join(gone) + "."
    months = [line for line in lines if line.get("bytes_a_row") is not None]
    if months:
        more += (
            f" In {len(months)} schedules the server and the Internet were away for 30 days: the"
            f" stores grew by at most {max(m['bytes_a_row'] for m in months):.0f} bytes a reading,"
            f" memory by at most {max(m['objects_a_row'] for m in months):.1f} objects a reading,"
            " the recorders of the run included."
        )
    told = "".join(f"\n- seed {b['seed']}: {'; '.join(b['faults'])[:200]}" for b in broken)
    return words + "\n".join((HEAD, *rows, whole)) + more + (f"\n\nBroken:{told}" if told else "")


def real(paths: list[Path]) -> str:
    last = {line["seed"]: line for path in paths for line in lines_of(path)}
    lines = [last[seed] for seed in sorted(last)]
    again = {line["seed"] for path in paths for line in lines_of(path) if line["faults"]}
    lived = Counter(line.get("commit", "unknown") for line in lines)
    rows = []
    for kind, some in [*by_kind(lines).items(), ("**all, each once**", lines)]:
        texts = [line["text_s"] for line in some if line.get("text_s")]
        receipts, database = ([line[key] for line in some] for key in ("receipts_s", "database_s"))
        cells = [
            kind.replace("_", " "), len(some), f"{sum(line['measured'] for line in some):,}",
            f"{sum(line['stored'] for line in some):,}", sum(line["lost"] for line in some),
            sum(line["doubled"] for line in some),
            f"{median(receipts):.1f} s; {max(receipts):.1f} s",
            f"{median(database):.1f} s; {max(database):.1f} s",
            f"{sum(line.get('node_wakes', 0) for line in some):,}",
            sum(line.get("node_kills", 0) for line in some),
            f"{median(texts):.0f} s; {max(texts):.0f} s" if texts else "",
        ]  # fmt: skip
        rows.append(f"| {' | '.join(map(str, cells))} |")
    head = (
        "| fault | runs | sent | stored | lost | doubled | all receipted after | all in InfluxDB"
        " after (median; worst) | wakes of the real node | its kills | the crew's text left after |"
        "\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    seeds = [line["seed"] for line in lines]
    broken = sum(bool(line["faults"]) for line in lines)
    sound = sorted(seed for seed in again if not last[seed]["faults"])
    mended = (
        f" Broken at first, and sound when lived again: {', '.join(map(str, sound))}."
        if sound
        else ""
    )
    whole = max(seeds) - min(seeds) + 1
    without = f" without {whole - len(seeds)} of them" if whole > len(seeds) else ""
    return (
        f"{len(lines)} runs, seeds {min(seeds)} to {max(seeds)}{without}, {broken} broken."
        f" {machine()} Commits: {'; '.join(f'{c} {n:,}' for c, n in lived.items())}.{mended}\n\n"
        f"`python -m tests.campaigns.faults.real --seed {min(seeds)} --runs {whole}`\n\n"
        + "\n".join((head, *rows))
    )


def mutants(paths: list[Path]) -> str:
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    rows = dict.fromkeys(line for line in lines if line.startswith("|"))  # one head
    words = dict.fromkeys(line for line in lines if line.startswith("Planted"))
    return "\n".join([*rows, "", *words])


def machine() -> str:
    """Where it was measured, and with what."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores shared with others,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}."
    )


def put(text: str, name: str, part: str) -> str:
    """Put a part between its two marks."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    at, to = text.index(begin) + len(begin), text.index(end)
    return text[:at] + part + text[to:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    makers = {"virtual": virtual, "real": real, "mutants": mutants}
    for name in makers:
        parser.add_argument(f"--{name}", type=Path, nargs="+", metavar="FILE")
    given = vars(parser.parse_args())
    for name in makers:
        for path in given[name] or ():
            if not path.is_file() or not path.read_text(encoding="utf-8").strip():
                parser.error(f"--{name} {path}: nothing was lived there")
    text = DOCS.read_text(encoding="utf-8")
    for name, make in makers.items():
        if given[name] is not None:
            text = put(text, name, make(given[name]))
    DOCS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
