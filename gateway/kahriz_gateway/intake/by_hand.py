# SPDX-License-Identifier: MIT
"""Readings that come by hand instead of the radio: pulled off a board that is dead or leaves.

Lines of `topic payload`, as `mosquitto_sub -v` prints them, `up` and `ack` alone. They go through
the same judgement as if the node had sent them, so that each reading is stored once, whatever came
before or comes after. Safe beside a running intake, as quarantine_replay.py is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kahriz_gateway.intake.accept import Accept
from kahriz_wire import topics
from kahriz_wire.messages import WireError, decode_ack, decode_rows

AT_ONCE = 200  # messages a transaction: intake waits so long
Line = tuple[str, bytes]


class ByHandError(Exception):
    """Lines that cannot be taken: in words, with the mend; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of it."""

    rows: int
    new: int
    set_aside: int

    def in_words(self) -> str:
        aside = f", {self.set_aside} messages in quarantine" if self.set_aside else ""
        return f"{self.rows} readings: {self.new} new, {self.rows - self.new} known{aside}"


def parse(text: bytes, site: str, known: Callable[[str], bool]) -> list[Line]:
    """Every line must be ours before the first is taken."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        name, _, payload = line.partition(b" ")
        topic = name.decode("utf-8", "replace")
        if not line.strip():
            continue
        try:
            parsed = topics.parse(topic)
            if parsed.kind not in ("up", "ack"):
                raise WireError("topic", "expected up or ack")
            if parsed.site != site:
                raise WireError("topic", f"of site {parsed.site}, this store is of {site}")
            if not known(parsed.node):
                raise WireError("topic", f"{parsed.node} is not in the plan")
            if parsed.kind == "ack":
                ack = decode_ack(payload)
                if ack.cmd or ack.ota is not None:
                    raise WireError("ack", "only what is gone can be said by hand")
        except WireError as error:
            raise ByHandError(f"line {number}: {error}; nothing was stored") from error
        found.append((topic, payload))
    return found


def deliver(
    conn: sqlite3.Connection, accept: Accept, lines: Sequence[Line], now_ms: int | None
) -> Delivered:
    """Take them in; cut at any place, said again it goes on."""
    came = Delivered(0, 0, 0)
    for start in range(0, len(lines), AT_ONCE):
        some = lines[start : start + AT_ONCE]
        journals = {_journal(topic) for topic, _ in some}
        conn.execute("BEGIN IMMEDIATE")
        accept.books.forget()
        try:
            held, aside = _held(conn, journals), _aside(conn)
            for topic, payload in some:
                accept.message(topic, payload)
            accept.books.save(now_ms)
            new, set_aside = _held(conn, journals) - held, _aside(conn) - aside
            conn.execute("COMMIT")
        except BaseException:
            conn.execute("ROLLBACK")
            raise
        rows = sum(_rows(topic, payload) for topic, payload in some)
        came = Delivered(came.rows + rows, came.new + new, came.set_aside + set_aside)
    return came


def _journal(topic: str) -> tuple[str, str]:
    parsed = topics.parse(topic)
    return parsed.node, parsed.rest


def _rows(topic: str, payload: bytes) -> int:
    if topics.parse(topic).kind != "up":
        return 0
    try:
        good, unreadable = decode_rows(payload)
    except WireError:  # it goes to quarantine whole
        return 0
    return len(good) + len(unreadable)


def _held(conn: sqlite3.Connection, journals: Iterable[tuple[str, str]]) -> int:
    count = "SELECT count(*) FROM reading WHERE node=? AND journal=?"
    return sum(int(conn.execute(count, key).fetchone()[0]) for key in journals)


def _aside(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT count(*) FROM quarantine").fetchone()[0])
