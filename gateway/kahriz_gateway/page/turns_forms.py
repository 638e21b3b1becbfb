# SPDX-License-Identifier: MIT
"""What the committee changes about the turns: set them, stretch the cycle in a drought, correct."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kahriz_gateway.committee import turn_book
from kahriz_gateway.page import forms, stores
from kahriz_gateway.page.format import DAY_MS, midnight
from kahriz_gateway.page.gate import Asked, Gate
from kahriz_gateway.page.words import Speech, mark
from kahriz_gateway.records.totals import total_of
from kahriz_water.site import Plan
from kahriz_water.turns import NOBODY, Plot, Rota, TurnsError, stretched

COMMITTEE = ("committee",)
WHY = {
    "count": mark("A cycle has 1 to 100 plots."),
    "code": mark("A plot's code has 1 to 12 characters: %(what)s"),
    "double": mark("This plot stands there twice: %(what)s"),
    "minutes": mark("A turn takes at least one minute: %(what)s"),
    "cycle": mark("The cycle would take more than 60 days."),
    "flow": mark("The usual flow is a number over 0, such as 12,5."),
    "enough": mark("This flow is not less than the usual one: the turns stay as they are."),
}
LONGEST_CORRECTION_MS = 7 * DAY_MS


class TurnsForms:
    """The forms of the turns of one kahriz."""

    def __init__(self, plan: Plan, data_dir: Path, gate: Gate) -> None:
        self._plan, self._data_dir, self._gate = plan, data_dir, gate

    def routes(self) -> list[Route]:
        """All of them are the committee's."""
        gate = self._gate
        pages = {
            "/turns/set": (self._form, self._set),
            "/turns/shortage": (self._shortage, self._stretch),
            "/turns/correct": (self._correction, self._correct),
        }
        return [
            route
            for path, (show, step) in pages.items()
            for route in gate.form(path, show, step, *COMMITTEE)
        ]

    def _form(self, asked: Asked, wrong: str = "") -> Response:
        held = turn_book.schedule(asked.conn)
        rota = held.rotas[-1] if held.rotas else None
        f = asked.words.format
        filled = asked.fields or {
            "point": held.point or "",
            "start": forms.field_of(midnight(asked.now_ms) + DAY_MS + 6 * 3_600_000),
            "flow_lps": f.number(rota.flow_lps, 1) if rota else "",
            "plots": "\n".join(f"{p.code} {p.minutes:.0f}" for p in rota.plots) if rota else "",
        }
        points = turn_book.flow_points(self._plan)
        context: dict[str, object] = {
            "filled": filled,
            "points": points,
            "wrong": wrong,
            "session": asked.session,
        }
        return self._html(asked, "turns_set.html", context, 400 if wrong else 200)

    def _set(self, asked: Asked) -> Response:
        try:
            rota, point = self._rota(asked)
        except forms.FormError as error:
            return self._form(asked, str(error))
        asked.write("rota", turn_book.body_of(rota, point))
        return RedirectResponse("/turns", 303)

    def _rota(self, asked: Asked) -> tuple[Rota, str]:
        """The rota of a form, or FormError in the reader's words."""
        words, form = asked.words, asked.fields
        ids = tuple(p.id for p in turn_book.flow_points(self._plan))
        point = forms.chosen(form, "point", ids)
        start = forms.moment(form.get("start", ""))
        flow = forms.number(form.get("flow_lps", ""))
        if point is None:
            raise forms.FormError(words.text("Choose the point that measures the turns."))
        if start is None:
            raise forms.FormError(words.text("The day and time of the first turn is missing."))
        if flow is None or flow <= 0:
            raise forms.FormError(words.text("The usual flow is a number over 0, such as 12,5."))
        plots = []
        for line in form.get("plots", "").splitlines():
            if not line.strip():
                continue
            code, _, minutes = line.strip().rpartition(" ")
            found = forms.number(minutes)
            if not code.strip() or found is None:
                raise forms.FormError(
                    words.text(
                        "Each line is a plot and its minutes, such as A1 240: %(line)s",
                        line=line.strip()[:40],
                    )
                )
            plots.append(Plot(code.strip(), found))
        try:
            return Rota(start, tuple(plots), flow), point
        except TurnsError as error:
            raise forms.FormError(_why(words, error)) from None

    def _shortage(self, asked: Asked, wrong: str = "") -> Response:
        """The longer cycle, to be seen before it is agreed."""
        held = turn_book.schedule(asked.conn)
        rota = held.rota(asked.now_ms)
        given = forms.number(asked.request.query_params.get("flow_lps", ""))
        flow = given or self._flow(held.point, asked.now_ms)
        new = None
        if rota is not None and flow is not None and not wrong:
            try:
                new = stretched(rota, flow, self._next_cycle(rota, asked.now_ms))
            except TurnsError:
                new = None
        context: dict[str, object] = {
            "rota": rota,
            "new": new,
            "flow": flow,
            "wrong": wrong,
            "session": asked.session,
            "now_ms": asked.now_ms,
        }
        return self._html(asked, "turns_shortage.html", context, 400 if wrong else 200)

    def _stretch(self, asked: Asked) -> Response:
        held = turn_book.schedule(asked.conn)
        rota, flow = held.rota(asked.now_ms), forms.number(asked.fields.get("flow_lps", ""))
        if rota is None or held.point is None:
            raise HTTPException(404)
        try:
            new = stretched(rota, flow or 0.0, self._next_cycle(rota, asked.now_ms))
        except TurnsError as error:
            return self._shortage(asked, _why(asked.words, error))
        body = turn_book.body_of(new, held.point) | {"shortage": True}
        asked.write("rota", body)
        return RedirectResponse("/turns", 303)

    def _flow(self, point_id: str | None, now_ms: int) -> float | None:
        """Mean flow of the last day at the source: what there is to share."""
        point = self._plan.point(point_id) if point_id else None
        if point is None:
            return None
        with stores.village(self._data_dir) as conn:
            found = total_of(conn, point, now_ms - DAY_MS, now_ms)
        if found is None or found.coverage < 0.5:
            return None
        return found.m3 * 1000.0 / (found.coverage * DAY_MS / 1000.0)

    @staticmethod
    def _next_cycle(rota: Rota, now_ms: int) -> int:
        """A new rota begins where the running cycle ends: nobody's turn is cut."""
        return rota.start_ms + ((now_ms - rota.start_ms) // rota.cycle_ms + 1) * rota.cycle_ms

    def _correction(self, asked: Asked, wrong: str = "") -> Response:
        held = turn_book.schedule(asked.conn)
        rota = held.rota(asked.now_ms)
        context: dict[str, object] = {
            "plots": [p.code for p in rota.plots] if rota else [],
            "filled": asked.fields,
            "default": forms.field_of(asked.now_ms),
            "wrong": wrong,
            "session": asked.session,
        }
        return self._html(asked, "turns_correct.html", context, 400 if wrong else 200)

    def _correct(self, asked: Asked) -> Response:
        words, form = asked.words, asked.fields
        rota = turn_book.schedule(asked.conn).rota(asked.now_ms)
        codes = tuple(p.code for p in rota.plots) if rota else ()
        plot = forms.chosen(form, "plot", (*codes, NOBODY))
        start, end = forms.moment(form.get("start", "")), forms.moment(form.get("end", ""))
        if plot is None:
            return self._correction(asked, words.text("Choose the plot that had the water."))
        if start is None or end is None or not 0 < end - start <= LONGEST_CORRECTION_MS:
            return self._correction(
                asked, words.text("From and until: the end after the start, at most seven days.")
            )
        asked.write(
            "correction",
            {"plot": plot, "start_ms": start, "end_ms": end, "note": form.get("note", "")[:200]},
        )
        return RedirectResponse("/turns", 303)

    def _html(self, asked: Asked, name: str, context: dict[str, object], status: int) -> Response:
        body = self._gate.templates.render(name, asked.words, asked.request, context)
        return HTMLResponse(body, status)


def _why(words: Speech, error: TurnsError) -> str:
    """Why a rota cannot be, in the reader's language."""
    return words.text(WHY[error.about], what=error.what)
