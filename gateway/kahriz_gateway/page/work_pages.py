# SPDX-License-Identifier: MIT
"""What people enter beside the turns: a staff gauge read, a visit, a closure; and who did what."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kahriz_alarms.alarm import CAUSES
from kahriz_alarms.states import SHELF_HOURS
from kahriz_gateway.committee import book
from kahriz_gateway.page import api_alarms, forms, labels, photos, stores
from kahriz_gateway.page.format import DAY_MS
from kahriz_gateway.page.gate import Asked, Gate
from kahriz_gateway.page.gauging_tests import reminders
from kahriz_gateway.page.words import Speech, mark
from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.alarms import flow_lps
from kahriz_water.records import StaffReading
from kahriz_water.site import Plan

ANYONE = ("committee", "crew", "technician")
PLANNERS = ("committee", "technician")
HOUR_MS = 3_600_000
LOOK_BACK_MS = 60 * DAY_MS
WORDS = 500
CLOSED_HOURS = (0.5, SHELF_HOURS)
STAFF_CM = (-100.0, 2000.0)
PHOTO_WRONG = {
    "size": mark("The photo is larger than 6 MB."),
    "kind": mark("The photo is neither JPEG nor PNG."),
    "broken": mark("The photo cannot be read: take it again."),
}
KINDS = {
    "entered": mark("entered"),
    "pin set": mark("PIN set"),
    "rota": mark("turns set"),
    "correction": mark("turn corrected"),
    "reading": mark("staff gauge read"),
    "visit": mark("visit"),
    "closure": mark("closure"),
    "alarm": mark("warning answered"),
    "pool test": mark("pool test begun"),
    "pool test ended": mark("pool test ended without a result"),
    "pool result": mark("pool test"),
    "gauging": mark("gauging"),
}


class WorkPages:
    """The forms of the people of one kahriz, and their book."""

    def __init__(self, plan: Plan, data_dir: Path, gate: Gate) -> None:
        self._plan, self._data_dir, self._gate = plan, data_dir, gate

    def routes(self) -> list[Route]:
        """All of them behind the gate."""
        gate = self._gate
        return [
            Route("/work", gate.shown(self._hub, *ANYONE), methods=["GET"]),
            *gate.form("/work/reading", self._reading, self._keep_reading, *ANYONE),
            *gate.form("/work/visit", self._visit, self._keep_visit, *ANYONE),
            *gate.form("/work/closure", self._closure, self._close, *PLANNERS),
            Route("/photos/{name}", gate.shown(self._photo, *ANYONE), methods=["GET"]),
        ]

    def _hub(self, asked: Asked) -> Response:
        """What can be entered, and the newest of what was."""
        try:
            with stores.village(self._data_dir) as conn:
                due = reminders(conn, self._plan, asked.now_ms)
        except stores.UnreadableStoreError:
            due = []
        names = {p.id: p.name for p in self._plan.people}
        visits = book.entries(asked.conn, "visit", newest=20)[::-1]
        context: dict[str, object] = {
            "session": asked.session,
            "visits": visits,
            "reminders": due,
            "flows": self._flows(visits),
            "log": book.entries(asked.conn, newest=50)[::-1],
            "kinds": KINDS,
            "causes": labels.CAUSES,
            "names": names,
            "places": self._places(asked.words),
            "now_ms": asked.now_ms,
        }
        return self._html(asked, "work.html", context)

    def _flows(self, visits: list[book.Entry]) -> dict[int, tuple[float | None, float | None]]:
        """Median L/s at the visited place on the day before and the day after each visit."""
        found: dict[int, tuple[float | None, float | None]] = {}
        try:
            with stores.village(self._data_dir) as conn:
                for visit in visits:
                    at, place = int(visit.body["at_ms"]), str(visit.body["place"])
                    reach = self._plan.reach(place)
                    point = reach.to if reach else place
                    found[visit.id] = (
                        flow_lps(conn, point, at - DAY_MS, at),
                        flow_lps(conn, point, at, at + DAY_MS),
                    )
        except stores.UnreadableStoreError:
            return {}
        return found

    def _reading(self, asked: Asked, wrong: str = "") -> Response:
        staffed = [p for p in self._plan.points if p.kind in ("weir", "pool", "tank", "chamber")]
        return self._form(asked, "work_reading.html", wrong, {"points": staffed})

    def _keep_reading(self, asked: Asked) -> Response:
        words, form = asked.words, asked.fields
        ids = tuple(p.id for p in self._plan.points)
        point, cm = forms.chosen(form, "point", ids), forms.number(form.get("cm", ""))
        at = forms.moment(form.get("at", ""))
        if point is None:
            return self._reading(asked, words.text("Choose the place."))
        if cm is None or not STAFF_CM[0] <= cm <= STAFF_CM[1]:
            return self._reading(asked, words.text("Centimetres are a number, such as 14,5."))
        if at is None or not -LOOK_BACK_MS <= at - asked.now_ms <= HOUR_MS:
            return self._reading(
                asked, words.text("When: not in the future, not longer ago than 60 days.")
            )
        try:
            photo = photos.keep(self._data_dir, asked.photo) if asked.photo else ""
        except photos.PhotoError as error:
            return self._reading(asked, words.text(PHOTO_WRONG[error.what]))
        read = StaffReading(point, at, round(cm / 100, 5), asked.session.person, photo, "")
        with api_alarms.writer(self._data_dir) as conn:
            manual_store.keep(conn, self._plan, read)
        asked.write("reading", {"place": point, "at_ms": at, "cm": cm, "photo": photo})
        return RedirectResponse("/work", 303)

    def _visit(self, asked: Asked, wrong: str = "") -> Response:
        context: dict[str, object] = {"places": self._places(asked.words), "causes": labels.CAUSES}
        return self._form(asked, "work_visit.html", wrong, context)

    def _keep_visit(self, asked: Asked) -> Response:
        words, form = asked.words, asked.fields
        place = forms.chosen(form, "place", tuple(self._places(words)))
        cause = forms.chosen(form, "cause", CAUSES)
        at = forms.moment(form.get("at", ""))
        if place is None:
            return self._visit(asked, words.text("Choose the place."))
        if cause is None:
            return self._visit(asked, words.text("Please say what it was."))
        if at is None or not -LOOK_BACK_MS <= at - asked.now_ms <= HOUR_MS:
            return self._visit(
                asked, words.text("When: not in the future, not longer ago than 60 days.")
            )
        try:
            photo = photos.keep(self._data_dir, asked.photo) if asked.photo else ""
        except photos.PhotoError as error:
            return self._visit(asked, words.text(PHOTO_WRONG[error.what]))
        body: dict[str, object] = {
            "place": place,
            "cause": cause,
            "at_ms": at,
            "who": form.get("who", "")[:WORDS],
            "found": form.get("found", "")[:WORDS],
            "photo": photo,
        }
        asked.write("visit", body)
        return RedirectResponse("/work", 303)

    def _closure(self, asked: Asked, wrong: str = "") -> Response:
        return self._form(asked, "work_closure.html", wrong, {"places": self._places(asked.words)})

    def _close(self, asked: Asked) -> Response:
        words, form = asked.words, asked.fields
        place = forms.chosen(form, "place", tuple(self._places(words)))
        hours, why = forms.number(form.get("hours", "")), form.get("why", "")[:WORDS]
        low, high = CLOSED_HOURS
        if place is None:
            return self._closure(asked, words.text("Choose the place."))
        if hours is None or not low <= hours <= high:
            return self._closure(asked, words.text("Hours: a number from 0,5 to 336."))
        if not why:
            return self._closure(asked, words.text("Say why, in a word or two."))
        until = asked.now_ms + round(hours * HOUR_MS)
        with api_alarms.writer(self._data_dir) as conn, village_store.transaction(conn):
            conn.execute(
                "INSERT INTO maintenance(place, from_ms, to_ms, who, why) VALUES(?,?,?,?,?)",
                (place, asked.now_ms, until, asked.session.person, why),
            )
        asked.write("closure", {"place": place, "until_ms": until, "why": why})
        return RedirectResponse("/work", 303)

    def _photo(self, asked: Asked) -> Response:
        name = str(asked.request.path_params["name"])
        path = self._data_dir / photos.FOLDER / name
        if photos.NAME.fullmatch(name) is None or not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=photos.TYPES[name.rpartition(".")[2]])

    def _places(self, words: Speech) -> dict[str, str]:
        """Every point, reach and offtake by id, with its name."""
        language = words.language
        found = {o.id: o.name.of(language) for o in self._plan.offtakes}
        found |= {r.id: r.name.of(language) for r in self._plan.reaches}
        return found | {p.id: p.name.of(language) for p in self._plan.points}

    def _form(self, asked: Asked, name: str, wrong: str, context: dict[str, object]) -> Response:
        filled = {"at": forms.field_of(asked.now_ms), **asked.fields}
        return self._html(
            asked,
            name,
            {**context, "filled": filled, "wrong": wrong, "session": asked.session},
            400 if wrong else 200,
        )

    def _html(
        self, asked: Asked, name: str, context: dict[str, object], status: int = 200
    ) -> Response:
        body = self._gate.templates.render(name, asked.words, asked.request, context)
        return HTMLResponse(body, status)
