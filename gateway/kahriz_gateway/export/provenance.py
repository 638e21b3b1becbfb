# SPDX-License-Identifier: MIT
"""The head of an export: which site, which span, what the columns mean, who has approved it.

It says nothing that changes by the clock, so that a file begun yesterday goes on today.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from dataclasses import dataclass
from datetime import datetime, tzinfo
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.approvals import Approval
from kahriz_gateway.village.moments import points_of
from kahriz_gateway.village.store import quantities_of
from kahriz_water.site import Plan
from kahriz_wire.fields import FIELDS

FLAGS = "QARTOD flag q: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing"
PROVISIONAL = "approval: provisional; nobody has reviewed and approved these numbers"
APPROVAL = "approval of "  # how the line of a point begins; read_back reads it
REVISED = "revised: approved once, and changed since then; nobody has approved the new number"
ESTIMATED = "readings whose time is still an estimate are left out until it is known"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on, before `end`, in milliseconds."""

    start: int
    end: int


def head_of(conn: sqlite3.Connection, plan: Plan, zone: tzinfo, span: Span, what: str) -> list[str]:
    """What stands over the columns of every export."""
    names = "; ".join(plan.name.of(lang) for lang in ("az", "ru", "en"))
    lines = [
        f"{what}",
        f"site {plan.id}: {names}; district {plan.district}",
        f"from {iso(span.start, zone)} to {iso(span.end, zone)} (the end is not in it)",
        f"times: ISO 8601 with offset, {plan.timezone}",
        f"made by Kahriz Monitor {version('kahriz-monitor')}; content {fingerprint(conn, span)}",
        FLAGS,
        "u: expanded uncertainty (k = 2) in the unit of its value; u_random: the part of it that is"
        " new with each reading",
        *approval_lines(conn, plan, zone),
        ESTIMATED,
    ]
    units = "; ".join(f"{name} {unit[0]}" for name, unit in FIELDS.items() if unit[0] != "1")
    lines.append(f"units: {units}")
    records = records_store.load(conn)
    for point in plan.points:
        dated = [r for r in records.ratings if r.point == point.id]
        built = point.structure.kind if point.structure else "no structure"
        since = "".join(f"; {r.structure.kind} from {iso(r.from_ms, zone)}" for r in dated)
        lines.append(f"point {point.id}: {point.kind} of node {point.node}; {built}{since}")
    return lines


def approval_lines(conn: sqlite3.Connection, plan: Plan, zone: tzinfo) -> list[str]:
    """Every approval, the newest of a point last: that one holds."""
    rows = records_store.rows(conn, "approval")
    if not rows:
        return [PROVISIONAL]
    known = [Approval(**row) for row in rows]
    lines = [
        f"{APPROVAL}{a.point}: before {iso(a.until_ms, zone)} by {json.dumps(a.who, **_TEXT)}"
        f" at {iso(a.at, zone)} {json.dumps(a.note, **_TEXT)}"
        for a in known
    ]
    others = [p.id for p in plan.points if p.id not in {a.point for a in known}]
    rest = [f"provisional: {', '.join(others)}; nobody has approved their numbers"]
    return [*lines, REVISED, *(rest if others else [])]


_TEXT: dict[str, Any] = {"ensure_ascii": False}
_LINE = re.compile(
    rf"# {APPROVAL}(\S+): before (\S+) by (\"(?:[^\"\\]|\\.)*\") at (\S+) (\"(?:[^\"\\]|\\.)*\")"
)


def approval_of(line: str) -> Approval | None:
    """The other way round; None for a line that says something else."""
    found = _LINE.fullmatch(line.rstrip("\n"))
    if found is None:
        return None
    point, until, who, at, note = found.groups()
    return Approval(point, ms(at), ms(until), json.loads(who), json.loads(note))


def approvals_in(file: Path) -> list[Approval]:
    """Those of a file's head."""
    with file.open(encoding="utf-8") as lines:
        head = takewhile(lambda line: line.startswith("#"), lines)
        return [found for line in head if (found := approval_of(line)) is not None]


def fingerprint(conn: sqlite3.Connection, span: Span) -> str:
    """Changes with any value of the span: a file begun before must not go on after it."""
    asked = (
        "SELECT count(*), total(value), total(u), total(q), total(ts), total(manual) FROM value"
        " WHERE point=? AND quantity=? AND ts>=? AND ts<?"
    )
    sums = [
        (point, quantity, *conn.execute(asked, (point, quantity, span.start, span.end)).fetchone())
        for point in points_of(conn)
        for quantity in quantities_of(conn, point)
    ]
    return f"{zlib.crc32(repr(sums).encode()):08x}"


def iso(ts: int, zone: tzinfo) -> str:
    """ISO 8601 with offset; milliseconds only where there are any."""
    timespec = "seconds" if ts % 1000 == 0 else "milliseconds"
    return datetime.fromtimestamp(ts / 1000, zone).isoformat(timespec=timespec)


def ms(text: str) -> int:
    """The other way round."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
