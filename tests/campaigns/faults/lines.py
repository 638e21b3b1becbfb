# SPDX-License-Identifier: MIT
"""Lines of lived schedules: written as they come, gone on with after a kill, joined for the report.

Each line names the commit that it was lived with; a `+` behind it says that files were changed.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .schedule import draw
from .verdict import Verdict

ROOT = Path(__file__).parents[3]
TRIED = ("firmware", "gateway", "tests/campaigns")
Line = dict[str, Any]


def commit_here() -> str:
    """What is lived with."""
    argv = ["git", "-C", str(ROOT)]
    head = subprocess.run(
        [*argv, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        [*argv, "status", "--porcelain", "--", *TRIED], capture_output=True, text=True, check=False
    )
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def lines_of(path: Path) -> list[Line]:
    """All whole lines; the last one may be torn by a kill."""
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def same_schedule(line: Line) -> bool:
    """Whether its seed draws today what was lived then."""
    return [h.kind for h in draw(line["seed"]).happenings] == line["kinds"]


class Book:
    """A file that a campaign writes into and goes on with: `lived` are the seeds it has."""

    def __init__(self, path: Path) -> None:
        before = lines_of(path) if path.exists() else []
        if path.exists():  # without what a kill has torn
            whole, _, _ = path.read_bytes().rpartition(b"\n")
            with path.open("r+b") as out:
                out.truncate(len(whole) + 1 if whole else 0)
        self.lived = {line["seed"] for line in before if same_schedule(line)}
        self._commit = commit_here()
        self._out = path.open("a", encoding="utf-8")

    def put(self, verdict: Verdict) -> None:
        print(json.dumps(verdict.as_dict() | {"commit": self._commit}), file=self._out, flush=True)

    def close(self) -> None:
        self._out.close()


def to_be_lived_again(path: Path) -> list[int]:
    """Seeds whose last line there is broken, or tells of a schedule that they no longer draw."""
    last = {line["seed"]: line for line in lines_of(path)}
    return sorted(s for s, line in last.items() if line["faults"] or not same_schedule(line))


@dataclass
class Joined:
    """A line a seed, the one lived last, and what became of the others."""

    lines: list[Line] = field(default_factory=list)
    mended: list[Line] = field(default_factory=list)  # broken then, and sound when lived again
    strange: int = 0  # lines of schedules that their seed no longer draws

    def commits(self) -> str:
        """With what how many were lived, and how many broke."""
        lived = Counter(line.get("commit", "unknown") for line in self.lines)
        broken = Counter(line.get("commit", "unknown") for line in self.lines if line["faults"])
        return "; ".join(f"{c} {n:,} ({broken[c]} broken)" for c, n in lived.items())

    def words(self) -> str:
        """What a reader must know about the joining."""
        said = f"Commits: {self.commits()}."
        if self.mended:
            seeds = ", ".join(str(line["seed"]) for line in self.mended)
            said += (
                f" {len(self.mended)} seeds were broken on an earlier commit and are sound on the"
                f" one that they were lived again with: {seeds}."
            )
        if self.strange:
            said += f" {self.strange} lines of seeds that draw another schedule now are left out."
        return said


def joined(paths: Iterable[Path]) -> Joined:
    """Files in the order in which they were lived."""
    found, last, broken = Joined(), dict[int, Line](), dict[int, Line]()
    for path in paths:
        for line in lines_of(path):
            if not same_schedule(line):
                found.strange += 1
                continue
            if line["faults"]:
                broken[line["seed"]] = line
            last[line["seed"]] = line
    found.lines = [last[seed] for seed in sorted(last)]
    found.mended = [broken[s] for s in sorted(broken) if not last[s]["faults"]]
    return found
