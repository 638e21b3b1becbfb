# SPDX-License-Identifier: MIT
"""Turns out of the book and their water out of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kahriz_gateway.committee import book
from kahriz_gateway.records.totals import total_of
from kahriz_water.site import Plan, Point
from kahriz_water.turns import (
    Fairness,
    Plot,
    Rota,
    Turn,
    by_plot,
    fairness,
    rota_at,
    turn_at,
    turns_between,
)

FLOWS = ("weir", "flow")


@dataclass(frozen=True)
class Schedule:
    """Every rota and correction that was agreed, and the point that measures the turns."""

    point: str | None
    rotas: tuple[Rota, ...]
    corrections: tuple[Turn, ...]

    def now(self, now_ms: int) -> Turn | None:
        """Whose turn it is."""
        return turn_at(self.rotas, self.corrections, now_ms)

    def rota(self, now_ms: int) -> Rota | None:
        """The rota that holds."""
        return rota_at(self.rotas, now_ms)

    def between(self, start_ms: int, end_ms: int) -> list[Turn]:
        """Turns of a span, in order."""
        return turns_between(self.rotas, self.corrections, start_ms, end_ms)


@dataclass(frozen=True)
class Measured:
    """A turn and its water so far; `m3` None where nothing was measured."""

    turn: Turn
    m3: float | None
    u_m3: float
    coverage: float


def schedule(conn: sqlite3.Connection, upto: int | None = None) -> Schedule:
    """All that was agreed, from the book; `upto`: when this was its last entry."""
    rotas = book.entries(conn, "rota", live=True, upto=upto)
    corrections = book.entries(conn, "correction", live=True, upto=upto)
    return Schedule(
        str(rotas[-1].body["point"]) if rotas else None,
        tuple(rota_of(entry.body) for entry in rotas),
        tuple(
            Turn(str(e.body["plot"]), int(e.body["start_ms"]), int(e.body["end_ms"]))
            for e in corrections
        ),
    )


def touched_since(conn: sqlite3.Connection, entry: int) -> int | None:
    """The first moment whose turns may be others since an entry of the book; None: none."""
    both = book.entries(conn, "rota", "correction")
    replaced = {e.replaces for e in book.entries(conn) if e.id > entry}
    return min(
        (int(e.body["start_ms"]) for e in both if e.id > entry or e.id in replaced), default=None
    )


def rota_of(body: Mapping[str, Any]) -> Rota:
    """A rota as the book keeps it."""
    plots = tuple(Plot(str(code), float(minutes)) for code, minutes in body["plots"])
    return Rota(int(body["start_ms"]), plots, float(body["flow_lps"]))


def body_of(rota: Rota, point: str) -> dict[str, Any]:
    """A rota as the book keeps it."""
    return {
        "point": point,
        "start_ms": rota.start_ms,
        "plots": [[plot.code, plot.minutes] for plot in rota.plots],
        "flow_lps": rota.flow_lps,
    }


def flow_points(plan: Plan) -> list[Point]:
    """Points that can measure turns."""
    return [point for point in plan.points if point.kind in FLOWS]


def measured(conn: sqlite3.Connection, point: Point, turn: Turn, now_ms: int) -> Measured:
    """The water of one turn, of its past part when it still runs."""
    end_ms = min(turn.end_ms, now_ms)
    found = total_of(conn, point, turn.start_ms, end_ms) if end_ms > turn.start_ms else None
    if found is None:
        return Measured(turn, None, 0.0, 0.0)
    return Measured(turn, found.m3, found.u_m3, found.coverage)


def shares(
    conn: sqlite3.Connection, point: Point, agreed: Schedule, span: tuple[int, int], now_ms: int
) -> list[Fairness]:
    """Who got what of a span, against the rota that held in all of it; none for another span."""
    start_ms, end_ms = span
    rota = agreed.rota(start_ms)
    if rota is None or rota is not agreed.rota(end_ms - 1):
        return []
    turns = [_clip(t, start_ms, end_ms) for t in agreed.between(start_ms, end_ms)]
    found = {t: measured(conn, point, t, now_ms) for t in turns}
    volumes = {t: None if m.m3 is None else (m.m3, m.u_m3, m.coverage) for t, m in found.items()}
    return fairness(rota, by_plot(turns, volumes))


def _clip(turn: Turn, start_ms: int, end_ms: int) -> Turn:
    return Turn(turn.plot, max(turn.start_ms, start_ms), min(turn.end_ms, end_ms), turn.corrected)
