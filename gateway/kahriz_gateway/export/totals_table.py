# SPDX-License-Identifier: MIT
"""Water past each point by day or month, with how complete it is; none under 80 %."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from kahriz_gateway.export.provenance import Span, iso
from kahriz_gateway.export.table_file import Row
from kahriz_gateway.records.approvals import standing
from kahriz_gateway.records.totals import total_of
from kahriz_gateway.village.store import quantities_of
from kahriz_water.site import Plan, Point
from kahriz_water.totals import BOUNDS

LEAST = 0.80  # completeness, under which a sum would be read as less water than there was
COLUMNS = (
    *("point", "start", "end", "volume_m3", "most_m3", "u_m3", "completeness", "readings"),
    *("manual_readings", "approval"),
)


def periods(span: Span, a: str, zone: tzinfo) -> list[tuple[int, int]]:
    """Whole days or months of the site's own zone that lie in a span."""
    at = datetime.fromtimestamp(span.start / 1000, zone)
    at = datetime(at.year, at.month, at.day if a == "day" else 1, tzinfo=zone)
    marks = []
    while _ms(at) <= span.end:
        if _ms(at) >= span.start:
            marks.append(_ms(at))
        at = _next(at, a)
    return list(pairwise(marks))


def flowing(conn: sqlite3.Connection, plan: Plan) -> list[Point]:
    """Points at which water is measured as it flows."""
    return [p for p in plan.points if set(quantities_of(conn, p.id)) & BOUNDS.keys()]


def total_rows(
    conn: sqlite3.Connection,
    plan: Plan,
    zone: tzinfo,
    spans: Sequence[tuple[int, int]],
    after: Sequence[str] | None,
) -> Iterator[Row]:
    """By point and time. An empty volume is no dry day: look at the completeness beside it."""
    waiting = after is not None
    for point in flowing(conn, plan):
        held = standing(conn, point.id)
        for start, end in spans:
            head = [point.id, iso(start, zone), iso(end, zone)]
            if waiting:
                waiting = head != list(after or ())[:3]
                continue
            yield [*head, *_cells(conn, point, start, end), held.span(start, end)]


def _cells(conn: sqlite3.Connection, point: Point, start: int, end: int) -> list[str]:
    found = total_of(conn, point, start, end)
    if found is None:
        return ["", "", "", "0.000", "0", "0"]
    sums = ["", "", ""]
    if found.coverage >= LEAST:
        most = "" if found.most_m3 is None else f"{found.most_m3:.1f}"
        sums = [f"{found.m3:.1f}", most, f"{found.u_m3:.1f}"]
    return [*sums, f"{found.coverage:.3f}", str(found.readings), str(found.manual)]


def _next(at: datetime, a: str) -> datetime:
    if a == "day":
        later = at.date() + timedelta(1)
        return datetime(later.year, later.month, later.day, tzinfo=at.tzinfo)
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=at.tzinfo)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
