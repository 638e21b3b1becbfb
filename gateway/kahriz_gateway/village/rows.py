# SPDX-License-Identifier: MIT
"""Rows of readings.db as readings with the flags of their quality tests, made from neighbours.

A flag hangs on the rows around it in the journal and on nothing else: no memory, so that a kill,
a late row and a recomputation give the same flags. A new row can change the flag of the row before
it (a spike needs both neighbours): such neighbours are handed out too, to be interpreted again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from kahriz_water import deployment
from kahriz_water.interpret import Reading, number, split
from kahriz_water.quality import FAIL, PASS, gross_range_q
from kahriz_water.quality_limits import Limits, limits_of
from kahriz_water.quality_tests import flags_of
from kahriz_water.records import Records
from kahriz_water.site import Plan, Point

_values = msgspec.json.Decoder(dict[str, Any]).decode
APART = 50  # numbers of a journal that belong to one stretch
FEW_BACK = 6  # rows looked back at first; most series are not flat over so many
MOST_BACK = 2_000  # rows looked back for a flat line, whatever a site asks for


class Row(NamedTuple):
    """One row of the table `reading`."""

    rev: int
    node: str
    journal: str
    n: int
    ts: int | None
    tq: str | None
    q: int
    body: dict[str, Any]


def row_of(raw: Any) -> Row:
    rev, node, journal, n, ts, tq, q, body = raw
    return Row(rev, node, journal, n, ts, tq, q, _values(body))


def stretches(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows by journal in the order of their numbers, cut where a journal leaps."""
    found: list[list[Row]] = []
    for row in sorted(rows, key=lambda r: (r.node, r.journal, r.n)):
        last = found[-1][-1] if found else None
        near = last is not None and (last.node, last.journal) == (row.node, row.journal)
        if last is not None and near and row.n - last.n <= APART:
            found[-1].append(row)
        else:
            found.append([row])
    return found


class Flagged(NamedTuple):
    """A row with its flags; `again` when it was interpreted before and stands beside a new one."""

    row: Row
    reading: Reading
    again: bool


def flagged(
    readings: sqlite3.Connection, rows: Iterable[Row], upto_rev: int, plan: Plan, records: Records
) -> list[Flagged]:
    """These rows with their flags, and their neighbours up to `upto_rev`; without undated ones."""
    found = []
    for stretch in stretches(rows):
        first, last = stretch[0], stretch[-1]
        points = _points(first, plan, records)
        around = _around(readings, stretch, FEW_BACK)
        if _may_be_flat(around, first.n, points):
            back = max(_rows_back(p) for p in points.values())
            around = _around(readings, stretch, back)
        flags = _flags(around, points)
        new = {row.n for row in stretch}
        for row in around:
            again = row.n not in new
            if again and (row.n not in (first.n - 1, last.n + 1) or row.rev > upto_rev):
                continue
            assert row.ts is not None
            reading = Reading(row.node, row.ts, row.q, row.body, flags.get(row.n))
            found.append(Flagged(row, reading, again))
    return found


def _around(readings: sqlite3.Connection, stretch: list[Row], back: int) -> list[Row]:
    """The dated rows of a journal from `back` rows before a stretch to the one after it."""
    first, last = stretch[0], stretch[-1]
    after = first.n if last.n - first.n + 1 > len(stretch) else last.n + 1  # from here it is asked
    asked = readings.execute(
        "SELECT rev, node, journal, n, ts, tq, q, body FROM reading WHERE node=? AND journal=?"
        " AND (n>=? AND n<? OR n>=? AND n<=?) AND ts IS NOT NULL ORDER BY n",
        (first.node, first.journal, first.n - back, first.n, after, last.n + 1),
    )
    found = [row_of(raw) for raw in asked]
    if after == first.n:
        return found
    before = [row for row in found if row.n < first.n]
    return before + [row for row in stretch if row.ts is not None] + found[len(before) :]


def _may_be_flat(around: list[Row], first_n: int, points: dict[str, Point]) -> bool:
    """Whether a flat line could end in the new rows: then it holds from the first row to them."""
    before = [row for row in around if row.n <= first_n]
    for one in _series(before, points):
        flat = max(one.values) - min(one.values) < one.limits.flat_tolerance
        if flat and one.limits.flat_suspect_s is not None:
            return True
    return False


def _points(row: Row, plan: Plan, records: Records) -> dict[str, Point]:
    """The point of each channel of a row's node at its time; "" for a channel without a record."""
    found = {"": next((p for p in plan.points if p.node == row.node), None)}
    for channel in {d.channel for d in records.deployments if d.node == row.node}:
        at = deployment.at(records.deployments, row.node, channel, row.ts or 0)
        found[channel] = None if at is None else plan.point(at.point)
    return {channel: point for channel, point in found.items() if point is not None}


def _limits(points: dict[str, Point], key: str) -> tuple[Limits, float] | None:
    channel, quantity = split(key)
    point = points.get(channel) or points.get("")
    limits = limits_of(quantity, () if point is None else point.quality)
    return None if limits is None or point is None else (limits, float(point.dt_s))


def _rows_back(point: Point) -> int:
    """How many rows a flat line goes back at a point."""
    own = [limits for _, limits in point.quality]
    longest = max(
        [86_400, *(x.flat_suspect_s or 0 for x in own), *(x.flat_fail_s or 0 for x in own)]
    )
    return int(min(MOST_BACK, longest / point.dt_s + 2))


class _Series(NamedTuple):
    """The values of a row key that can be true at all, in order of time, and what holds for it."""

    key: str
    quantity: str
    limits: Limits
    dt_s: float
    times: list[int]
    numbers: list[int]
    values: list[float]


def _series(around: list[Row], points: dict[str, Point]) -> list[_Series]:
    found: dict[str, _Series | None] = {}  # None: nobody has set it limits
    for row in sorted(around, key=attrgetter("ts", "n")):
        for key, said in row.body.items():
            try:
                one = found[key]
            except KeyError:
                known = _limits(points, key)
                one = None if known is None else _Series(key, split(key)[1], *known, [], [], [])
                found[key] = one
            if one is None:
                continue
            value = number(said)  # None for a fault word
            if value is not None and gross_range_q(one.quantity, value) < FAIL:
                one.times.append(row.ts or 0)
                one.numbers.append(row.n)
                one.values.append(value)
    return [one for one in found.values() if one is not None and one.values]


def _flags(around: list[Row], points: dict[str, Point]) -> dict[int, dict[str, int]]:
    """Flags by number and row key; what no test objects to is left out."""
    found: dict[int, dict[str, int]] = {}
    for one in _series(around, points):
        flags = flags_of(one.times, one.values, one.limits, one.dt_s)
        for n, flag in zip(one.numbers, flags, strict=True):
            if flag > PASS:
                found.setdefault(n, {})[one.key] = flag
    return found
