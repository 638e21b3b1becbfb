# SPDX-License-Identifier: MIT
"""Plant defects, one at a time, and see whether the tests turn red.

A test that cannot fail proves nothing. Each defect here is one that such a program could have: it
is put into a copy of the last commit, and the tests named beside it must fail there, and pass
without it.

    python scripts/mutants.py [NAME …]      # all without names; exit code 1 when one goes unseen
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (".", "firmware", "firmware/lib", "gateway", "server", "hardware")
PASSED, FAILED = 0, 1  # pytest's exit codes


@dataclass(frozen=True)
class Mutant:
    """A defect: in `file` the text `old` becomes `new`; `tests` must see it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "acknowledged-unstored",
        "gateway/kahriz_gateway/intake/intake.py",
        "                self._enter_trouble(door, str(error))\n",
        "                self._enter_trouble(door, str(error))\n                due = []\n"
        "                break\n",
        ("tests/gateway/test_intake_trouble.py",),
    ),
    Mutant(
        "number-given-twice",
        "firmware/lib/kahriz_node/journal_append.py",
        "            book.next = n + 1\n            return n\n",
        "            return n\n",
        ("tests/campaigns/test_lives.py",),
    ),
    Mutant(
        "dedupe-off",
        "gateway/kahriz_gateway/intake/rows.py",
        "        if ledger.lacks(row.n):\n",
        "        if True:\n",
        ("tests/gateway/test_intake_rules.py",),
    ),
    Mutant(
        "deleted-on-puback",
        "firmware/lib/kahriz_node/session.py",
        "            self._pubacks = body[0] << 8 | body[1]\n",
        "            self._pubacks = body[0] << 8 | body[1]\n"
        "            self._journal.mark = [self._journal.mark[0], self._journal.next - 1, []]\n",
        ("tests/node/test_uplink_faults.py",),
    ),
    Mutant(
        "foreign-receipt-trusted",
        "firmware/lib/kahriz_node/session.py",
        "        if word.s != self.s or word.journal != self._journal.id:\n",
        "        if False:\n",
        ("tests/node/test_uplink_faults.py", "tests/node/test_uplink.py"),
    ),
    Mutant(
        "gap-never-asked-for",
        "gateway/kahriz_gateway/intake/ledger.py",
        "            listed.append([a, min(b, self.next - 1)])\n",
        "            pass\n",
        ("tests/gateway/test_ledger.py",),
    ),
    Mutant(
        "sent-before-stored",
        "gateway/kahriz_alarms/loop/people.py",
        "                jobs += self._go_on(conn, post, now)\n",
        "                for channel, job in self._go_on(conn, post, now):\n"
        "                    self._workers[channel].put(job)\n",
        ("tests/gateway/test_alarm_people.py",),
    ),
    Mutant(
        "repeat-not-marked",
        "gateway/kahriz_alarms/loop/people.py",
        "        again = alarm_post.may_be_repeat(conn, post.id)\n",
        "        again = False\n",
        ("tests/gateway/test_alarm_people.py",),
    ),
    Mutant(
        "time-of-2036-believed",
        "gateway/kahriz_gateway/intake/accept.py",
        "        if latest is not None and row.ts > latest:\n",
        "        if False:\n",
        ("tests/gateway/test_intake_sessions.py",),
    ),
    Mutant(
        "unreadable-dropped",
        "gateway/kahriz_gateway/intake/accept.py",
        "            quarantine.put(self._conn, received, topic, payload, str(error))\n",
        "            del error\n",
        ("tests/gateway/test_intake_rules.py",),
    ),
    Mutant(
        "small-flow-is-zero",
        "gateway/kahriz_water/structures/base.py",
        "            return Discharge(q=3, below_lps=bound, why=f",
        "            return Discharge(q=1, lps=0.0, u_lps=0.0, why=f",
        ("tests/water/test_structures.py",),
    ),
    Mutant(
        "mended-without-coverage",
        "gateway/kahriz_alarms/proof.py",
        "COVERAGE = 0.90",
        "COVERAGE = 0.00",
        ("tests/alarms/test_life.py", "tests/gateway/test_alarm_loop.py"),
    ),
    Mutant(
        "form-of-another-site",
        "gateway/kahriz_gateway/page/gate.py",
        '            if request.method == "POST" and not sessions.right_mark(',
        "            if False and not sessions.right_mark(",
        ("tests/page/test_turns.py",),
    ),
)


def main(names: list[str]) -> int:
    """Try the mutants of these names; print the table; 0 when all were seen."""
    known = {mutant.name for mutant in MUTANTS}
    strange = sorted(set(names) - known)
    if strange:
        print(f"no mutant {', '.join(strange)}: one of {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    wanted = [m for m in MUTANTS if not names or m.name in names]
    with tempfile.TemporaryDirectory(prefix="kahriz-mutants-") as folder:
        tree = Path(folder) / "kahriz"
        tree.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive.stdout, check=True)
        print("| defect | planted in | seen by | |\n|---|---|---|---|", flush=True)
        unseen = 0
        for mutant in wanted:
            verdict = _try(tree, mutant, Path(folder) / "tmp")
            unseen += verdict != "red"
            tests = ", ".join(Path(test).name for test in mutant.tests)
            print(f"| {mutant.name} | `{mutant.file}` | {tests} | {verdict} |", flush=True)
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


def _pytest(tree: Path, mutant: Mutant, scratch: Path) -> int:
    paths = os.pathsep.join(str(tree / package) for package in PACKAGES)
    argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
            f"--basetemp={scratch}", *mutant.tests]  # fmt: skip
    done = subprocess.run(
        argv, cwd=tree, env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
