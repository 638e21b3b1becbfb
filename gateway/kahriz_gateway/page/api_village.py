# SPDX-License-Identifier: MIT
"""The village's own entries over HTTP, with the same token as the alarms.

    GET  /api/turns[?from=2026-11-23]   rota, turn of now, m3 of a cycle's turns, fair or not
    POST /api/turns                     {"who": "rena", "point", "start_ms", "flow_lps",
                                         "plots": [["A1", 240]]}
    POST /api/turns/corrections         {"who": "rena", "plot", "start_ms", "end_ms", "note"}
    GET  /api/visits                    POST /api/visits    {"who", "place", "cause", "at_ms", ...}
    GET  /api/readings                  POST /api/readings  {"who", "point", "cm", "at_ms"}
    GET  /api/closures                  POST /api/closures  {"who", "place", "hours", "note"}
    POST /api/photos                    a JPEG or PNG as it is; its name goes under `photo` of a
                                        visit or a reading
    GET  /api/openapi.json              what all this is, for programs; open

`who` is a person of the plan: what is written bears that name and role. With a text of one's own
under `once` an entry counts once, however often it is sent; without one, what is sent again word
for word within five minutes is taken for a repeat.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kahriz_alarms.alarm import CAUSES
from kahriz_gateway.alarms.hands import AGAIN_MS
from kahriz_gateway.clock import Clock
from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.page import api_openapi, photos, stores
from kahriz_gateway.page.api_asked import AskedWrongError, object_of
from kahriz_gateway.page.format import start_of
from kahriz_gateway.page.span import parse_day
from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.village import store as village_store
from kahriz_water.people import Person
from kahriz_water.records import StaffReading
from kahriz_water.site import Plan
from kahriz_water.turns import Plot, Rota, TurnsError

NEWEST = 500
HOUR_MS = 3_600_000
LOOK_BACK_MS = 60 * 24 * HOUR_MS
LONGEST_CORRECTION_MS = 7 * 24 * HOUR_MS
LONGEST_CLOSURE_H = 336
ONCE_LONG = 32

Answer = Callable[[Request, bytes], Response]


class VillageApi:
    """The answers; `guarded` lets in whoever holds the token."""

    def __init__(
        self, plan: Plan, data_dir: Path, clock: Clock, writer: Callable[[Path], Any]
    ) -> None:
        self._plan, self._data_dir, self._clock = plan, data_dir, clock
        self._writer = writer
        self._turn = threading.Lock()  # what comes twice may come at the same time

    def routes(self, guarded: Callable[..., Any]) -> list[Route]:
        """Reading and writing; the description is open."""
        pages: dict[str, tuple[Answer, Answer]] = {
            "/api/turns": (self._turns, self._set_turns),
            "/api/visits": (self._list("visit"), self._visit),
            "/api/readings": (self._list("reading"), self._reading),
            "/api/closures": (self._list("closure"), self._close),
        }
        found = [Route("/api/openapi.json", api_openapi.answer, methods=["GET"])]
        for path, (look, write) in pages.items():
            found.append(Route(path, guarded(look), methods=["GET"]))
            found.append(Route(path, guarded(self._once(write)), methods=["POST"]))
        correct, keep = self._once(self._correct), guarded(self._photo, photos.MOST_BYTES)
        found.append(Route("/api/turns/corrections", guarded(correct), methods=["POST"]))
        found.append(Route("/api/photos", keep, methods=["POST"]))
        return found

    def _once(self, write: Answer) -> Answer:
        """What has been kept under the same mark, or a moment ago, is not written again."""

        def answer(request: Request, body: bytes) -> Response:
            given, _ = object_of(body)
            own = _mark(given)
            request.state.once = mark = own or _mark_of(request.url.path, given)
            since_ms = None if own else self._clock.now_ms() - AGAIN_MS
            with self._turn:
                if (self._data_dir / book.FILE).exists():
                    with closing(book.open_book(self._data_dir)) as conn:
                        kept = book.kept(conn, mark, since_ms)
                    if kept is not None:
                        return JSONResponse({"id": kept, "already": True})
                return write(request, body)

        return answer

    def _photo(self, request: Request, body: bytes) -> Response:
        try:
            return JSONResponse({"photo": photos.keep(self._data_dir, body)}, 201)
        except photos.PhotoError as error:
            raise AskedWrongError(
                f"a whole JPEG or PNG of at most {photos.MOST_BYTES} bytes ({error.what})"
            ) from error

    def _turns(self, request: Request, body: bytes) -> Response:
        now_ms = self._clock.now_ms()
        if not (self._data_dir / book.FILE).exists():
            return JSONResponse({"point": None, "rotas": [], "turns": [], "shares": []})
        with closing(book.open_book(self._data_dir)) as conn:
            agreed = turn_book.schedule(conn)
        rota = agreed.rota(now_ms) or (agreed.rotas[0] if agreed.rotas else None)
        point = self._plan.point(agreed.point or "")
        found: dict[str, Any] = {"point": agreed.point, "rotas": [asdict(r) for r in agreed.rotas]}
        running = agreed.now(now_ms)
        found["now"] = asdict(running) if running else None
        found |= {"turns": [], "shares": []}
        if rota is not None and point is not None:
            day = parse_day(request.query_params.get("from", ""))
            cycles = (now_ms - rota.start_ms) // rota.cycle_ms
            start = start_of(day) if day else rota.start_ms + cycles * rota.cycle_ms
            span = (start, start + rota.cycle_ms)
            with stores.village(self._data_dir) as village:
                turns = [
                    turn_book.measured(village, point, t, now_ms) for t in agreed.between(*span)
                ]
                over = span[1] <= now_ms
                shares = turn_book.shares(village, point, agreed, span, now_ms) if over else []
            found["turns"] = [asdict(t) for t in turns]
            found["shares"] = [{**asdict(s), "fair": s.fair} for s in shares]
        return JSONResponse(found)

    def _set_turns(self, request: Request, body: bytes) -> Response:
        given, who = self._who(body, "committee")
        points = [p.id for p in turn_book.flow_points(self._plan)]
        point = _one(given, "point", points)
        try:
            plots = tuple(Plot(str(code), float(minutes)) for code, minutes in given["plots"])
            rota = Rota(_ms(given, "start_ms"), plots, _number(given, "flow_lps", 0.001, 100_000))
        except TurnsError as error:
            raise AskedWrongError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise AskedWrongError('plots: pairs such as [["A1", 240]]') from error
        return self._write(who, "rota", turn_book.body_of(rota, point), request.state.once)

    def _correct(self, request: Request, body: bytes) -> Response:
        given, who = self._who(body, "committee")
        start, end = _ms(given, "start_ms"), _ms(given, "end_ms")
        if not 0 < end - start <= LONGEST_CORRECTION_MS:
            raise AskedWrongError("end_ms: after start_ms, at most seven days")
        with closing(book.open_book(self._data_dir)) as conn:
            rota = turn_book.schedule(conn).rota(self._clock.now_ms())
        plot = _one(given, "plot", [*(p.code for p in rota.plots), ""] if rota else [""])
        note = str(given.get("note") or "")[:200]
        entry = {"plot": plot, "start_ms": start, "end_ms": end, "note": note}
        return self._write(who, "correction", entry, request.state.once)

    def _visit(self, request: Request, body: bytes) -> Response:
        given, who = self._who(body, "committee", "crew", "technician")
        entry = {
            "place": _one(given, "place", self._places()),
            "cause": _one(given, "cause", CAUSES),
            "at_ms": self._past(given),
            "who": str(given.get("came") or "")[:500],
            "found": str(given.get("found") or "")[:500],
            "photo": self._kept_photo(given),
        }
        return self._write(who, "visit", entry, request.state.once)

    def _reading(self, request: Request, body: bytes) -> Response:
        given, who = self._who(body, "committee", "crew", "technician")
        point = _one(given, "point", [p.id for p in self._plan.points])
        cm, at_ms = _number(given, "cm", -100, 2000), self._past(given)
        photo = self._kept_photo(given)
        read = StaffReading(point, at_ms, round(cm / 100, 5), who.id, "", photo)
        with self._writer(self._data_dir) as conn:
            manual_store.keep(conn, self._plan, read)
        entry = {"place": point, "at_ms": at_ms, "cm": cm, "photo": photo}
        return self._write(who, "reading", entry, request.state.once)

    def _close(self, request: Request, body: bytes) -> Response:
        given, who = self._who(body, "committee", "technician")
        place, why = _one(given, "place", self._places()), str(given.get("note") or "").strip()
        hours = _number(given, "hours", 0.5, LONGEST_CLOSURE_H)
        if not why:
            raise AskedWrongError("the reason: a text under `note`")
        now_ms = self._clock.now_ms()
        until = now_ms + round(hours * HOUR_MS)
        with self._writer(self._data_dir) as conn, village_store.transaction(conn):
            conn.execute(
                "INSERT INTO maintenance(place, from_ms, to_ms, who, why) VALUES(?,?,?,?,?)",
                (place, now_ms, until, who.id, why[:500]),
            )
        entry = {"place": place, "until_ms": until, "why": why[:500]}
        return self._write(who, "closure", entry, request.state.once)

    def _list(self, kind: str) -> Answer:
        def answer(request: Request, body: bytes) -> Response:
            if not (self._data_dir / book.FILE).exists():
                return JSONResponse({"entries": []})
            with closing(book.open_book(self._data_dir)) as conn:
                found = book.entries(conn, kind, newest=NEWEST)
            return JSONResponse({"entries": [asdict(entry) for entry in found]})

        return answer

    def _who(self, body: bytes, *roles: str) -> tuple[dict[str, Any], Person]:
        given, ident = object_of(body)
        person = self._plan.person(ident)
        if person is None or person.role not in roles:
            raise AskedWrongError(f"who: a person of the plan, one of {', '.join(roles)}")
        return given, person

    def _write(self, who: Person, kind: str, entry: dict[str, Any], mark: str) -> Response:
        now_ms = self._clock.now_ms()
        try:
            with closing(book.open_book(self._data_dir)) as conn:
                ident = book.write(conn, now_ms, who.id, who.role, kind, entry, once=mark)
        except book.BookError as error:
            raise sqlite3.OperationalError(str(error)) from error
        return JSONResponse({"id": ident, "kind": kind, "at": now_ms, "body": entry}, 201)

    def _kept_photo(self, given: dict[str, Any]) -> str:
        name = given.get("photo") or ""
        known = isinstance(name, str) and photos.NAME.fullmatch(name) is not None
        if name and not (known and (self._data_dir / photos.FOLDER / name).is_file()):
            raise AskedWrongError("photo: the name that POST /api/photos gave")
        return str(name)

    def _places(self) -> list[str]:
        plan = self._plan
        ways = (*(r.id for r in plan.reaches), *(o.id for o in plan.offtakes))
        return [*(p.id for p in plan.points), *ways]

    def _past(self, given: dict[str, Any]) -> int:
        at_ms = _ms(given, "at_ms")
        if not -LOOK_BACK_MS <= at_ms - self._clock.now_ms() <= HOUR_MS:
            raise AskedWrongError("at_ms: not in the future, not longer ago than 60 days")
        return at_ms


def _mark(given: dict[str, Any]) -> str:
    found = given.get("once", "")
    if not isinstance(found, str) or len(found) > ONCE_LONG:
        raise AskedWrongError(f"once: a text of at most {ONCE_LONG} characters")
    return found


def _mark_of(path: str, given: dict[str, Any]) -> str:
    """The mark of what bears none: its own words."""
    words = f"{path} {json.dumps(given, sort_keys=True)}"
    return f"={hashlib.sha256(words.encode()).hexdigest()}"


def _one(given: dict[str, Any], key: str, of: Any) -> str:
    found = given.get(key)
    if not isinstance(found, str) or found not in of:
        raise AskedWrongError(f"{key}: one of {', '.join(of)}")
    return found


def _number(given: dict[str, Any], key: str, low: float, high: float) -> float:
    found = given.get(key)
    fit = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    if not fit or not low <= float(found or 0) <= high:
        raise AskedWrongError(f"{key}: a number, {low:g} to {high:g}")
    return float(found or 0)


def _ms(given: dict[str, Any], key: str) -> int:
    found = given.get(key)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 2**53:
        raise AskedWrongError(f"{key}: milliseconds since 1970, a whole number")
    return found
