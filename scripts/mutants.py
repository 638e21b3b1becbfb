# SPDX-License-Identifier: MIT
"""Plant defects, one at a time, and see whether tests or campaign turn red.

A test that cannot fail proves nothing. Each defect here is one that such a program could have: it
is put into a copy of the last commit, and the tests named beside it must fail there, and pass
without it.

    python scripts/mutants.py [NAME …]      # all without names; exit code 1 when one goes unseen
    python scripts/mutants.py --campaign 200 [NAME …]    # random schedules must see it, in so many
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (".", "firmware", "firmware/lib", "gateway", "server", "hardware")
PASSED, FAILED = 0, 1  # pytest's exit codes
WORDS_MOST = 90  # letters of what a broken schedule says


@dataclass(frozen=True)
class Mutant:
    """A defect: in `file` the text `old` becomes `new`; `tests` must see it.

    `campaign` says which faults bring it to light; none: it is nothing that faults could show.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    campaign: tuple[str, ...] = ()


MUTANTS = (
    Mutant(
        "acknowledged-unstored",
        "gateway/kahriz_gateway/intake/intake.py",
        "                self._enter_trouble(door, str(error))\n",
        "                self._enter_trouble(door, str(error))\n                due = []\n"
        "                break\n",
        ("tests/gateway/test_intake_trouble.py",),
        (
            "disk_full",
            "disk_read_only",
        ),
    ),
    Mutant(
        "number-given-twice",
        "firmware/lib/kahriz_node/journal_append.py",
        "            book.next = n + 1\n            return n\n",
        "            return n\n",
        ("tests/campaigns/test_lives.py",),
        (
            "receipt_lost",
            "intake_killed",
        ),
    ),
    Mutant(
        "dedupe-off",
        "gateway/kahriz_gateway/intake/rows.py",
        "        if ledger.lacks(row.n):\n",
        "        if True:\n",
        ("tests/gateway/test_intake_rules.py",),
        (
            "receipt_lost",
            "link_loses",
            "intake_killed",
        ),
    ),
    Mutant(
        "deleted-on-puback",
        "firmware/lib/kahriz_node/session.py",
        "            self._pubacks = body[0] << 8 | body[1]\n",
        "            self._pubacks = body[0] << 8 | body[1]\n"
        "            self._journal._mark = [self._journal.mark()[0], self._journal.next - 1, []]\n",
        ("tests/node/test_uplink_faults.py",),
        (
            "intake_killed",
            "link_loses",
            "broker_lost_state",
        ),
    ),
    Mutant(
        "foreign-receipt-trusted",
        "firmware/lib/kahriz_node/session.py",
        "        if word.s != self.s or word.journal != self._journal.id:\n",
        "        if False:\n",
        ("tests/node/test_uplink_faults.py", "tests/node/test_uplink.py"),
        ("foreign_receipt",),
    ),
    Mutant(
        "gap-never-asked-for",
        "gateway/kahriz_gateway/intake/ledger.py",
        "            listed.append([a, min(b, self.next - 1)])\n",
        "            pass\n",
        ("tests/gateway/test_ledger.py",),
        (
            "link_loses",
            "broker_lost_state",
        ),
    ),
    Mutant(
        "sent-before-stored",
        "gateway/kahriz_alarms/loop/people.py",
        "                jobs += self._go_on(conn, post, now)\n",
        "                for channel, job in self._go_on(conn, post, now):\n"
        "                    self._workers[channel].put(job)\n",
        ("tests/gateway/test_alarm_people.py",),
        ("village_killed",),
    ),
    Mutant(
        "repeat-not-marked",
        "gateway/kahriz_alarms/loop/people.py",
        "        again = alarm_post.may_be_repeat(conn, post.id)\n",
        "        again = False\n",
        ("tests/gateway/test_alarm_people.py",),
        ("village_killed",),
    ),
    Mutant(
        "time-of-2036-believed",
        "gateway/kahriz_gateway/intake/accept.py",
        "        if latest is not None and row.ts > latest:\n",
        "        if False:\n",
        ("tests/gateway/test_intake_sessions.py",),
        ("clock_2036_believed",),
    ),
    Mutant(
        "unreadable-dropped",
        "gateway/kahriz_gateway/intake/accept.py",
        "            quarantine.put(self._conn, received, topic, payload, str(error))\n",
        "            del error\n",
        ("tests/gateway/test_intake_rules.py",),
        ("unreadable_message",),
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
    Mutant(
        "receipt-before-commit",
        "gateway/kahriz_gateway/intake/intake.py",
        '        self._accept.books.save(self._now())\n        self._conn.execute("COMMIT")\n'
        "        return list(due)\n",
        "        self._accept.books.save(self._now())\n        return list(due)\n",
        ("tests/gateway/test_intake_trouble.py", "tests/gateway/test_intake_chain.py"),
        ("intake_killed",),
    ),
    Mutant(
        "told-before-the-database-took-it",
        "gateway/kahriz_gateway/outputs/follower.py",
        "        self._hand_over(conn, spans)\n        return self._move(conn, self.name, rev)\n",
        "        self._move(conn, self.name, rev)\n        self._hand_over(conn, spans)\n"
        "        return True\n",
        ("tests/gateway/test_outputs_follow.py",),
        ("database_down", "database_401"),
    ),
    Mutant(
        "waits-an-hour-when-told-to",
        "gateway/kahriz_gateway/outputs/influx.py",
        "MAX_PAUSE_S = 300.0",
        "MAX_PAUSE_S = 36_000.0",
        ("tests/gateway/test_outputs_influx.py",),
        ("database_503_wait_3600",),
    ),
    Mutant(
        "unset-clock-believed",
        "gateway/kahriz_gateway/clock.py",
        "        if now_ms < self._earliest_ms:\n            return False\n",
        "        if now_ms < self._earliest_ms:\n            return True\n",
        ("tests/gateway/test_clock.py",),
        ("clock_1970",),
    ),
    Mutant(
        "only-the-newest-reading-judged",
        "gateway/kahriz_gateway/village/fall.py",
        "        for upto in range(first + 1, len(readings) + 1):\n",
        "        for upto in range(max(first + 1, len(readings)), len(readings) + 1):\n",
        ("tests/gateway/test_village_fall.py",),
        ("village_frozen",),
    ),
)


def main(names: list[str]) -> int:
    """Try the mutants of these names; print the table; 0 when all were seen."""
    schedules = 0
    if names[:1] == ["--campaign"]:
        schedules, names = int(names[1]), names[2:]
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
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive.stdout, check=True)
        print("| defect | planted in | seen by | |\n|---|---|---|---|", flush=True)
        unseen = 0
        for mutant in wanted:
            if schedules:
                verdict, tests = _campaign(tree, mutant, schedules)
            else:
                verdict = _try(tree, mutant, Path(folder) / "tmp")
                tests = ", ".join(Path(test).name for test in mutant.tests)
            unseen += verdict != "red"
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
    if broken is None:
        return "NOT SEEN", " ".join(said.splitlines()[-1:])
    whole = _schedules(tree, "--runs", "1", "--seed", broken[1])
    verdict = "red" if " 0 broken" in whole else "red without it"
    count = said.splitlines()[-1].split()[0]
    where = f"seed {broken[1]}, the {count}. with {', '.join(mutant.campaign)}"
    return verdict, f"{where}: {broken[2][:WORDS_MOST]}"


def _schedules(tree: Path, *given: str) -> str:
    argv = [sys.executable, "-m", "tests.campaigns.faults", "--jobs", "1", *given]
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
    sys.exit(main(sys.argv[1:]))
