# SPDX-License-Identifier: MIT
"""Does a pool lose water: shut for a night, or compared with its inflow while it fills."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.page import forms, stores
from kahriz_gateway.page.gate import Asked, Gate
from kahriz_gateway.page.words import mark
from kahriz_gateway.records.totals import total_of
from kahriz_gateway.village import store as village_store
from kahriz_water.drawdown import (
    HOURS,
    LOSES,
    RISES,
    TIGHT,
    UNMEASURED,
    Outcome,
    detectable_lph,
    drawdown,
    filling,
)
from kahriz_water.pool import area_m2
from kahriz_water.site import Plan, Point

ANYONE = ("committee", "crew", "technician")
HOUR_MS = 3_600_000
STORAGE = ("pool", "tank")
VERDICTS = {
    TIGHT: mark("No loss that this test can see."),
    LOSES: mark("The pool loses water."),
    RISES: mark("The level rose: rain, or the inflow was not shut. Do it again."),
    UNMEASURED: mark("Too little was measured in that time. Do it again."),
}
WAYS = {"drawdown": mark("Shut for the night"), "filling": mark("While it fills")}


class GuidedTests:
    """The guided tests of one kahriz."""

    def __init__(self, plan: Plan, data_dir: Path, gate: Gate) -> None:
        self._plan, self._data_dir, self._gate = plan, data_dir, gate

    def routes(self) -> list[Route]:
        """All behind the gate."""
        gate = self._gate
        pages = {
            "/tests/pool": (self._pools, self._begin),
            "/tests/pool/{ident:int}": (self._running, self._end),
        }
        return [
            route
            for path, (show, step) in pages.items()
            for route in gate.form(path, show, step, *ANYONE)
        ]

    def _pools(self, asked: Asked, wrong: str = "") -> Response:
        """Which pool, how long, can the inflow be turned past, and who loses water tonight."""
        pools = [p for p in self._plan.points if p.kind in STORAGE and p.level_volume]
        hours = forms.number(asked.fields.get("hours", "8")) or 8.0
        now = asked.now_ms
        agreed = turn_book.schedule(asked.conn)
        turns = agreed.between(now, now + round(hours * HOUR_MS))
        begun = book.entries(asked.conn, "pool test", live=True)
        context: dict[str, object] = {
            "pools": pools,
            "inlets": turn_book.flow_points(self._plan),
            "inlet": self._plan.reaches[-1].to if self._plan.reaches else "",
            "areas": {p.id: self._area(p) for p in pools},
            "hours": hours,
            "least": {p.id: detectable_lph(self._area(p), hours) for p in pools},
            "plots": sorted({t.plot for t in turns}),
            "ways": WAYS,
            "begun": [e for e in begun if e.body["end_ms"] > now - 30 * 24 * HOUR_MS][::-1],
            "results": book.entries(asked.conn, "pool result", newest=10)[::-1],
            "verdicts": VERDICTS,
            "now_ms": now,
        }
        return self._html(asked, "test_night.html", context, wrong)

    def _begin(self, asked: Asked) -> Response:
        words, form = asked.words, asked.fields
        point = self._pool(form.get("point", ""))
        hours, way = forms.number(form.get("hours", "")), forms.chosen(form, "way", tuple(WAYS))
        if point is None:
            return self._pools(asked, words.text("Choose the pool."))
        if hours is None or not HOURS[0] <= hours <= HOURS[1]:
            return self._pools(asked, words.text("Hours: a number from 2 to 24."))
        inlets = tuple(p.id for p in turn_book.flow_points(self._plan))
        inflow = forms.chosen(form, "inflow", inlets) or ""
        if way is None or (way == "filling" and not inflow):
            return self._pools(asked, words.text("Choose how the test is done."))
        end_ms = asked.now_ms + round(hours * HOUR_MS)
        body: dict[str, object] = {
            "place": point.id,
            "way": way,
            "inflow": inflow,
            "start_ms": asked.now_ms,
            "end_ms": end_ms,
        }
        ident = asked.write("pool test", body)
        return RedirectResponse(f"/tests/pool/{ident}", 303)

    def _running(self, asked: Asked) -> Response:
        test = self._test(asked)
        point = self._pool(str(test.body["place"]))
        if point is None:
            raise HTTPException(404)
        over = asked.now_ms >= test.body["end_ms"]
        context: dict[str, object] = {
            "test": test,
            "point": point,
            "over": over,
            "least": detectable_lph(
                self._area(point), (test.body["end_ms"] - test.body["start_ms"]) / HOUR_MS
            ),
            "outcome": self._outcome(point, test) if over else None,
            "verdicts": VERDICTS,
            "now_ms": asked.now_ms,
        }
        return self._html(asked, "test_night_running.html", context, "")

    def _end(self, asked: Asked) -> Response:
        """Keep what it says, or end it without: wind, rain, a gate that was opened."""
        test = self._test(asked)
        point = self._pool(str(test.body["place"]))
        if point is None:
            raise HTTPException(404)
        if asked.fields.get("end") == "abort":
            why = asked.fields.get("why", "")[:200]
            asked.write("pool test ended", {"place": point.id, "why": why}, replaces=test.id)
            return RedirectResponse("/tests/pool", 303)
        if asked.now_ms < test.body["end_ms"]:
            raise HTTPException(409)
        found = self._outcome(point, test)
        asked.write("pool result", {**test.body, **asdict(found)}, replaces=test.id)
        return RedirectResponse("/tests/pool", 303)

    def _outcome(self, point: Point, test: book.Entry) -> Outcome:
        start, end = int(test.body["start_ms"]), int(test.body["end_ms"])
        with stores.village(self._data_dir) as conn:
            values = village_store.values_between(conn, point.id, "level_m", start - 1, end)
            levels = [(v.ts, v.value) for v in values if v.q < 3]
            level = levels[0][1] if levels else 0.0
            area = area_m2(level, point.level_volume)
            if test.body["way"] == "drawdown":
                return drawdown(levels, area, start, end, point.dt_s)
            inlet = self._plan.point(str(test.body["inflow"]))
            inflow = total_of(conn, inlet, start, end) if inlet else None
        known = None if inflow is None else (inflow.m3, inflow.u_m3, inflow.coverage)
        return filling(levels, area, known, (start, end), point.dt_s)

    def _test(self, asked: Asked) -> book.Entry:
        ident = asked.request.path_params["ident"]
        live = book.entries(asked.conn, "pool test", live=True)
        found = next((e for e in live if e.id == ident), None)
        if found is None:
            raise HTTPException(404)
        return found

    def _pool(self, ident: str) -> Point | None:
        point = self._plan.point(ident)
        return point if point and point.kind in STORAGE and point.level_volume else None

    @staticmethod
    def _area(point: Point) -> float:
        """The surface when the pool is full."""
        return area_m2(point.level_volume[-1][0], point.level_volume)

    def _html(self, asked: Asked, name: str, context: dict[str, object], wrong: str) -> Response:
        full = {**context, "wrong": wrong, "session": asked.session, "filled": asked.fields}
        body = self._gate.templates.render(name, asked.words, asked.request, full)
        return HTMLResponse(body, 400 if wrong else 200)
