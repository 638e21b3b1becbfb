# SPDX-License-Identifier: MIT
"""Rows of readings.db as readings with the flags of their quality tests, made from neighbours.

A flag hangs on the rows around it in the journal and on nothing else: no memory, so that a kill,
a late row and a recomputation give the same flags. A new row can change the flag of the row before
it (a spike needs both neighbours): such neighbours are handed out too, to be interpreted again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from kahriz_water import deployment
from kahriz_water.interpret import Reading, split
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
        around = _around(readings, first, last, FEW_BACK)
        if _may_be_flat(around, first.n, points):
            back = max(_rows_back(p) for p in points.values())
            around = _around(readings, first, last, back)
        flags = _flags(around, points)
        new = {row.n for row in stretch}
        for row in around:
            beside = row.n in (first.n - 1, last.n + 1) and row.rev <= upto_rev
            if row.ts is not None and (row.n in new or beside):
                reading = Reading(row.node, row.ts, row.q, row.body, flags.get(row.n))
                found.append(Flagged(row, reading, row.n not in new))
    return found


def _around(readings: sqlite3.Connection, first: Row, last: Row, back: int) -> list[Row]:
    """The dated rows of a journal from `back` rows before `first` to the one after `last`."""
    rows = readings.execute(
        "SELECT rev, node, journal, n, ts, tq, q, body FROM reading"
        " WHERE node=? AND journal=? AND n>=? AND n<=? AND ts IS NOT NULL ORDER BY n",
        (first.node, first.journal, first.n - back, last.n + 1),
    )
    return [row_of(raw) for raw in rows]


def _may_be_flat(around: list[Row], first_n: int, points: dict[str, Point]) -> bool:
    """Whether a flat line could end in the new rows: then it holds from the first row to them."""
    for key, samples in _series([row for row in around if row.n <= first_n]).items():
        known = _limits(points, key)
        if known is not None and known[0].flat_suspect_s is not None:
            values = [x for _, _, x in samples]
            if max(values) - min(values) < known[0].flat_tolerance:
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


def _series(around: list[Row]) -> dict[str, list[tuple[int, int, float]]]:
    """Time, number and value by row key, of values that can be true at all."""
    series: dict[str, list[tuple[int, int, float]]] = {}
    for row in sorted(around, key=lambda r: (r.ts or 0, r.n)):
        for key, number in row.body.items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue  # a fault word
            if gross_range_q(split(key)[1], number) < FAIL:
                series.setdefault(key, []).append((row.ts or 0, row.n, float(number)))
    return series


def _flags(around: list[Row], points: dict[str, Point]) -> dict[int, dict[str, int]]:
    """Flags by number and row key; what no test objects to is left out."""
    found: dict[int, dict[str, int]] = {}
    for key, samples in _series(around).items():
        known = _limits(points, key)
        if known is None:
            continue
        limits, dt_s = known
        flags = flags_of([s[0] for s in samples], [s[2] for s in samples], limits, dt_s)
        for (_, n, _), flag in zip(samples, flags, strict=True):
            if flag > PASS:
                found.setdefault(n, {})[key] = flag
    return found
