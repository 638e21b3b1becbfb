# SPDX-License-Identifier: MIT
"""Plant defects, one at a time, and see whether tests or campaign turn red.

A test that cannot fail proves nothing. Each defect here is one that such a program could have: it
is put into a copy of the last commit, and the tests named beside it must fail there, and pass
without it.

    python scripts/mutants.py [NAME …]      # all without names; exit code 1 when one goes unseen
    python scripts/mutants.py --campaign 200 [NAME …]    # random schedules must see it, in so many
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.mutants_planted import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (".", "firmware", "firmware/lib", "gateway", "server", "hardware")
PASSED, FAILED = 0, 1  # pytest's exit codes
WORDS_MOST = 90  # letters of what a broken schedule says
_HEADS = (
    "| defect | planted in | seen by | |\n|---|---|---|---|",
    "| defect | planted in | schedules with | red after | seed | it says | |\n"
    "|---|---|---|---|---|---|---|",
)


def main() -> int:
    """Try the mutants of these names; print the table; 0 when all were seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaign", type=int, default=0, metavar="SCHEDULES")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    names, schedules = given.names, given.campaign
    known = {mutant.name for mutant in MUTANTS}
    strange = sorted(set(names) - known)
    if strange:
        print(f"no mutant {', '.join(strange)}: one of {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    wanted = [m for m in MUTANTS if (not names or m.name in names)]
    if schedules:
        wanted = [m for m in wanted if m.campaign]
    with tempfile.TemporaryDirectory(prefix="kahriz-mutants-") as folder:
        tree = Path(folder) / "kahriz"
        tree.mkdir()
        commit = _commit()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive.stdout, check=True)
        print(_HEADS[schedules > 0], flush=True)
        unseen = 0
        for mutant in wanted:
            if schedules:
                verdict, tests = _campaign(tree, mutant, schedules)
            else:
                verdict = _try(tree, mutant, Path(folder) / "tmp")
                tests = ", ".join(Path(test).name for test in mutant.tests)
            unseen += verdict != "red"
            print(f"| {mutant.name} | `{mutant.file}` | {tests} | {verdict} |", flush=True)
        if schedules:
            print(f"\nPlanted into commit {commit}, in at most {schedules} schedules.")
    return 1 if unseen else 0


def _try(tree: Path, mutant: Mutant, scratch: Path) -> str:
    path = tree / mutant.file
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutant.old) != 1:
        return f"its place is there {sound.count(mutant.old)} times: mend the table"
    if _pytest(tree, mutant, scratch) != PASSED:
        return "red without it"
    path.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        code = _pytest(tree, mutant, scratch)
    finally:
        path.write_text(sound, encoding="utf-8")
    return {PASSED: "NOT SEEN", FAILED: "red"}.get(code, f"pytest ended with {code}")


def _campaign(tree: Path, mutant: Mutant, schedules: int) -> tuple[str, str]:
    """Live schedules with its faults until one breaks a promise; the same one, whole, must not."""
    path = tree / mutant.file
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutant.old) != 1:
        return f"its place is there {sound.count(mutant.old)} times: mend the table", ""
    path.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        said = _schedules(
            tree, "--runs", str(schedules), "--first", "--with", ",".join(mutant.campaign)
        )
    finally:
        path.write_text(sound, encoding="utf-8")
    broken = re.search(r"^seed (\d+): (.*)$", said, re.MULTILINE)
    faults = ", ".join(mutant.campaign).replace("_", " ")
    if broken is None:
        return "NOT SEEN", f"{faults} | | | {' '.join(said.splitlines()[-1:])}"
    whole = _schedules(tree, "--runs", "1", "--seed", broken[1])
    verdict = "red" if " 0 broken" in whole else "red without it"
    count = said.splitlines()[-1].split()[0]
    words = broken[2].replace("|", "/")
    words = words if len(words) <= WORDS_MOST else f"{words[:WORDS_MOST]} …"
    return verdict, f"{faults} | {count} | {broken[1]} | {words}"


def _commit() -> str:
    argv = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def _schedules(tree: Path, *given: str) -> str:
    argv = [sys.executable, "-m", "tests.campaigns.faults.campaign", "--jobs", "1", *given]
    return subprocess.run(
        argv, cwd=tree, env=_environment(tree), capture_output=True, text=True, check=False
    ).stdout


def _environment(tree: Path) -> dict[str, str]:
    paths = os.pathsep.join(str(tree / package) for package in PACKAGES)
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}


def _pytest(tree: Path, mutant: Mutant, scratch: Path) -> int:
    argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
            f"--basetemp={scratch}", *mutant.tests]  # fmt: skip
    done = subprocess.run(argv, cwd=tree, env=_environment(tree), capture_output=True, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
