# SPDX-License-Identifier: MIT
"""What a month of a kahriz was: water, losses, days without readings, alarms and repairs.

A sum is told only where at least 80 % of the time is covered; else its completeness alone.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import tzinfo

from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.committee import turn_book
from kahriz_gateway.committee.turn_book import Schedule
from kahriz_gateway.export.provenance import Span
from kahriz_gateway.export.totals_table import LEAST, flowing, periods
from kahriz_gateway.records.approvals import (
    APPROVED,
    PROVISIONAL,
    REVISED,
    Approval,
    standing,
)
from kahriz_gateway.records.totals import balance_of, total_of
from kahriz_gateway.village.store import quantities_of
from kahriz_water.site import Plan, Point
from kahriz_water.totals import Total
from kahriz_water.turns import Got, Turn, by_plot

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Water:
    """What ran past a point; None where too little was measured to say."""

    point: Point
    completeness: float
    m3: float | None
    u_m3: float | None
    lps: float | None
    change: float | None  # of the mean flow, against the month before


@dataclass(frozen=True, slots=True)
class Loss:
    """What a reach lost; `certain` when it is more than its uncertainty. None: not known."""

    reach: str
    m3: float | None
    u_m3: float | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What a plot got by its turns; `agreed` where one rota held all the time."""

    got: Got
    agreed: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """Of the main point; None where the day has too few readings."""

    start: int
    m3: float | None


@dataclass(frozen=True, slots=True)
class Month:
    """Everything that the page says. The first of `water` is the main point: the kahriz's own."""

    plan: Plan
    span: Span
    water: list[Water]
    losses: list[Loss]
    days: list[Day]
    measured: float  # readings that are here, of those that should be
    alarms: dict[str, alarm_stats.Row]  # by kind, raised in this month
    all_alarms: alarm_stats.Row
    lost_m3: float  # by the alarms
    turns: list[Share]  # none where no turns are agreed
    approval: str  # of all the numbers together: provisional, approved, revised
    approvals: list[Approval]  # those that hold, by point


def month_of(
    conn: sqlite3.Connection,
    plan: Plan,
    zone: tzinfo,
    span: Span,
    before: Span,
    agreed: Schedule | None = None,
) -> Month:
    """The facts of a span; `before` is what it is compared with, `agreed` are the turns."""
    points = _main_first(plan, flowing(conn, plan))
    water = [_water(conn, point, span, before) for point in points]
    days = periods(span, "day", zone)
    main = points[0] if points else None
    rows = conn.execute(
        "SELECT * FROM alarm WHERE raised>=? AND raised<?", (span.start, span.end)
    ).fetchall()
    alarms = [alarm_book.alarm_of(r) for r in rows]
    kinds = sorted({a.kind for a in alarms})
    return Month(
        plan,
        span,
        water,
        [_loss(conn, plan, reach.id, span) for reach in plan.reaches],
        [] if main is None else [Day(a, _sum(total_of(conn, main, a, b))) for a, b in days],
        _measured(conn, plan, span),
        {kind: alarm_stats.row(a for a in alarms if a.kind == kind) for kind in kinds},
        alarm_stats.row(alarms),
        sum(a.m3 or 0.0 for a in alarms),
        [] if agreed is None else _turns(conn, plan, agreed, span),
        *_approval(conn, points, span),
    )


def _approval(
    conn: sqlite3.Connection, points: list[Point], span: Span
) -> tuple[str, list[Approval]]:
    """A page is as certain as the least certain of its points."""
    found = [standing(conn, point.id) for point in points]
    said = {each.span(span.start, span.end) for each in found} or {PROVISIONAL}
    least = next(word for word in (PROVISIONAL, REVISED, APPROVED) if word in said)
    return least, [each.held for each in found if each.held is not None]


def _turns(conn: sqlite3.Connection, plan: Plan, agreed: Schedule, span: Span) -> list[Share]:
    """By plot, over the turns as far as they lie in the span."""
    point = plan.point(agreed.point or "")
    if point is None:
        return []
    turns = [
        Turn(t.plot, max(t.start_ms, span.start), min(t.end_ms, span.end), t.corrected)
        for t in agreed.between(span.start, span.end)
    ]
    found = {t: turn_book.measured(conn, point, t, t.end_ms) for t in turns}
    volumes = {t: None if m.m3 is None else (m.m3, m.u_m3, m.coverage) for t, m in found.items()}
    rota = agreed.rota(span.start)
    same = rota is not None and rota is agreed.rota(span.end - 1)
    return [
        Share(got, rota.share(got.plot) if rota is not None and same else None)
        for got in by_plot(turns, volumes)
    ]


def _main_first(plan: Plan, points: list[Point]) -> list[Point]:
    """The source's point first: where a reach begins and none ends; the others as in the plan."""
    fed = {reach.to for reach in plan.reaches}
    heads = [reach.from_ for reach in plan.reaches if reach.from_ not in fed]
    return sorted(points, key=lambda p: p.id not in heads)


def _water(conn: sqlite3.Connection, point: Point, span: Span, before: Span) -> Water:
    found = total_of(conn, point, span.start, span.end)
    m3, lps = _sum(found), _flow(found, span)
    if found is None or m3 is None or lps is None:
        return Water(point, 0.0 if found is None else found.coverage, None, None, None, None)
    last = _flow(total_of(conn, point, before.start, before.end), before)
    change = lps / last - 1 if last else None
    return Water(point, found.coverage, m3, found.u_m3, lps, change)


def _flow(found: Total | None, span: Span) -> float | None:
    """Mean of the time that was measured: months differ in length and in gaps."""
    m3 = _sum(found)
    if found is None or m3 is None:
        return None
    return m3 * 1000 / (found.coverage * (span.end - span.start) / 1000)


def _sum(found: Total | None) -> float | None:
    return None if found is None or found.coverage < LEAST else found.m3


def _loss(conn: sqlite3.Connection, plan: Plan, ident: str, span: Span) -> Loss:
    reach = plan.reach(ident)
    assert reach is not None
    found = balance_of(conn, plan, reach, span.start, span.end)
    if found is None or min(found.above.coverage, found.below.coverage) < LEAST:
        return Loss(ident, None, None, False)
    return Loss(ident, found.lost_m3, found.u_m3, found.certain)


def _measured(conn: sqlite3.Connection, plan: Plan, span: Span) -> float:
    """Of all the readings that the points should have given, the share that is stored."""
    due = here = 0.0
    for point in plan.points:
        wanted = (span.end - span.start) / (point.dt_s * 1000)
        asked = (
            "SELECT count(*) FROM value"
            " WHERE point=? AND quantity=? AND ts>=? AND ts<? AND manual=0"
        )
        counts = [
            conn.execute(asked, (point.id, quantity, span.start, span.end)).fetchone()[0]
            for quantity in quantities_of(conn, point.id)
        ]
        due += wanted
        here += min(wanted, max(counts, default=0))
    return here / due if due else 0.0
