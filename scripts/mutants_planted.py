# SPDX-License-Identifier: MIT
"""The defects that `scripts/mutants.py` plants: each is one that such a program could have."""

from __future__ import annotations

from dataclasses import dataclass


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
        ("link_loses",),
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
        "gateway/kahriz_gateway/intake/groups.py",
        '        self.accept.books.save(self._now())\n        self.conn.execute("COMMIT")\n'
        "        return list(due)\n",
        "        self.accept.books.save(self._now())\n        return list(due)\n",
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
        "min(max(refusal.retry_after_s, 0.0), MAX_PAUSE_S)",
        "max(refusal.retry_after_s, 0.0)",
        ("tests/gateway/test_outputs_influx_server.py",),
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
