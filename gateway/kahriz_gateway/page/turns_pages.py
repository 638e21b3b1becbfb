# SPDX-License-Identifier: MIT
"""Turns on the page, for everyone to see: whose water it is, what each plot got, was it fair."""

from __future__ import annotations

import csv
import io
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_gateway.clock import Clock
from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.page import stores
from kahriz_gateway.page.format import DAY_MS, local, midnight, start_of
from kahriz_gateway.page.gate import Gate
from kahriz_gateway.page.span import parse_day
from kahriz_water.site import Plan, Point
from kahriz_water.turns import Rota

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnNow:
    """The turn of this moment and its water so far."""

    plot: str
    start_ms: int
    end_ms: int
    m3: float | None
    u_m3: float


class TurnsPages:
    """The pages of the turns of one kahriz."""

    def __init__(self, plan: Plan, data_dir: Path, clock: Clock, gate: Gate) -> None:
        self._plan, self._data_dir, self._clock, self._gate = plan, data_dir, clock, gate

    def routes(self) -> list[Route]:
        """Looking is open."""
        return [
            Route("/turns", self._look, methods=["GET"]),
            Route("/turns.csv", self._csv, methods=["GET"]),
        ]

    def now(self) -> TurnNow | None:
        """For the front page: whose turn it is; None without turns or a sound book."""
        try:
            agreed, point = self._agreed()
        except (book.BookError, sqlite3.Error) as error:
            log.error("no turns on the front page: %s", error)
            return None
        now_ms = self._clock.now_ms()
        turn = agreed.now(now_ms)
        if turn is None or point is None:
            return None
        with stores.village(self._data_dir) as conn:
            found = turn_book.measured(conn, point, turn, now_ms)
        return TurnNow(turn.plot, turn.start_ms, turn.end_ms, found.m3, found.u_m3)

    def _agreed(self) -> tuple[turn_book.Schedule, Point | None]:
        if not (self._data_dir / book.FILE).exists():
            return turn_book.Schedule(None, (), ()), None
        try:
            with closing(book.look(self._data_dir)) as conn:
                agreed = turn_book.schedule(conn)
        except book.EmptyBookError:
            return turn_book.Schedule(None, (), ()), None
        return agreed, self._plan.point(agreed.point) if agreed.point else None

    def _span(self, request: Request, rota: Rota, now_ms: int) -> tuple[int, int]:
        """From the day asked for, else the running cycle, one cycle long."""
        day = parse_day(request.query_params.get("from", ""))
        cycles = (now_ms - rota.start_ms) // rota.cycle_ms
        start = start_of(day) if day else rota.start_ms + cycles * rota.cycle_ms
        return start, start + rota.cycle_ms

    def _look(self, request: Request) -> Response:
        words, now_ms = self._gate.speech(request), self._clock.now_ms()
        agreed, point = self._agreed()
        rota = agreed.rota(now_ms) or (agreed.rotas[0] if agreed.rotas else None)
        context: dict[str, object] = {
            "point": point,
            "rota": rota,
            "turn": agreed.now(now_ms),
            "session": self._gate.session(request),
            "now_ms": now_ms,
            "rows": [],
            "shares": [],
        }
        if rota is not None and point is not None:
            span = self._span(request, rota, now_ms)
            with stores.village(self._data_dir) as conn:
                turns = agreed.between(*span)
                context["rows"] = [turn_book.measured(conn, point, t, now_ms) for t in turns]
                judged = span if span[1] <= now_ms else _before(span)
                context["shares"] = turn_book.shares(conn, point, agreed, judged, now_ms)
                context["judged"] = judged
            context |= {"span": span, "before": span[0] - rota.cycle_ms, "local": local}
        return HTMLResponse(self._gate.templates.render("turns.html", words, request, context))

    def _csv(self, request: Request) -> Response:
        """Every turn of a span as a table: times with offset, m3 with its uncertainty."""
        now_ms = self._clock.now_ms()
        agreed, point = self._agreed()
        day = parse_day(request.query_params.get("from", ""))
        if point is None or not agreed.rotas:
            raise HTTPException(404)
        start = start_of(day) if day else min(r.start_ms for r in agreed.rotas)
        start = max(start, midnight(now_ms) - 400 * DAY_MS)
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(["plot", "start", "end", "minutes", "m3", "u_m3", "coverage", "corrected"])
        with stores.village(self._data_dir) as conn:
            for turn in agreed.between(start, now_ms):
                got = turn_book.measured(conn, point, turn, now_ms)
                table.writerow(
                    [
                        turn.plot if turn.plot[:1] not in "=+-@" else f"'{turn.plot}",
                        local(turn.start_ms).isoformat(timespec="seconds"),
                        local(turn.end_ms).isoformat(timespec="seconds"),
                        (turn.end_ms - turn.start_ms) // 60_000,
                        "" if got.m3 is None else f"{got.m3:.2f}",
                        "" if got.m3 is None else f"{got.u_m3:.2f}",
                        f"{got.coverage:.2f}",
                        int(turn.corrected),
                    ]
                )
        return Response(
            text.getvalue(),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="turns.csv"'},
        )


def _before(span: tuple[int, int]) -> tuple[int, int]:
    """The span of the same length before: a cycle that is not over cannot be judged."""
    start_ms, end_ms = span
    return 2 * start_ms - end_ms, start_ms
