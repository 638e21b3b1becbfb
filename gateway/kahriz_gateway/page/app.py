# SPDX-License-Identifier: MIT
"""The page as a Starlette application: `create_app(config, data_dir, clock)`.

The screens only look: they open the stores for reading. What changes an alarm is the API, which
asks for its token; what the village enters goes through the gate, which asks for a PIN. Everything
comes from this machine; without JavaScript nothing but the quiet refresh is missing.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kahriz_alarms.loop.links import Links
from kahriz_gateway import metrics
from kahriz_gateway.clock import Clock
from kahriz_gateway.committee import book
from kahriz_gateway.page import api_alarms, call, health, help, poster, probes, screens, stores
from kahriz_gateway.page.alarm_steps import AlarmSteps
from kahriz_gateway.page.events import Events
from kahriz_gateway.page.gate import ROLES, Gate
from kahriz_gateway.page.gauging_tests import GaugingTests
from kahriz_gateway.page.guided_tests import GuidedTests
from kahriz_gateway.page.headers import StrictHeaders
from kahriz_gateway.page.labels import CAUSES
from kahriz_gateway.page.links import LinkPages
from kahriz_gateway.page.looking import Looking
from kahriz_gateway.page.remembered import COOKIE, RememberedLanguage
from kahriz_gateway.page.templating import Templates
from kahriz_gateway.page.turns_forms import TurnsForms
from kahriz_gateway.page.turns_pages import TurnsPages
from kahriz_gateway.page.view import AlarmNow, look
from kahriz_gateway.page.words import DEFAULT, LANGUAGES, Speech, speech
from kahriz_gateway.page.work_pages import WorkPages
from kahriz_water.site import Plan

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

Screen = Callable[[Speech, Request], tuple[str, dict[str, object]]]


def create_app(
    config: Plan,
    data_dir: Path,
    clock: Clock,
    api_token: str | None = None,
    links: Links | None = None,
) -> Starlette:
    """The page of one kahriz, over the stores in `data_dir`, at the time of `clock`.

    With `api_token` the API of the alarms is there too, with `links` the links of e-mails.
    """
    templates = Templates(config, STATIC, clock)
    gate = Gate(data_dir, clock, templates, _speech)
    turns = TurnsPages(config, data_dir, clock, gate)

    def html(screen: Screen) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            words = _speech(request)
            name, context = screen(words, request)
            return HTMLResponse(templates.render(name, words, request, context))

        return endpoint

    def front(words: Speech, request: Request) -> tuple[str, dict[str, object]]:
        with stores.village(data_dir) as conn:
            context = screens.front(conn, config, words, clock.now_ms())
        context["missing"] = screens.missing_count(data_dir, config, clock.now_ms())
        context["turn"] = turns.now()
        found = [a.alarm for a in cast(list[AlarmNow], context["alarms"])]
        context["roles"] = ROLES
        entered = gate.session(request) is not None
        context["call"] = call.button(config, found, entered, clock.now_ms())
        return ("front.html" if context["points"] else "start.html"), context

    def history(words: Speech, request: Request) -> tuple[str, dict[str, object]]:
        with stores.village(data_dir) as conn:
            asked = dict(request.query_params)
            return "history.html", screens.history(conn, config, words, clock.now_ms(), asked)

    def alarms(words: Speech, request: Request) -> tuple[str, dict[str, object]]:
        entered = {"session": gate.session(request), "causes": CAUSES, "roles": ROLES}
        with stores.village(data_dir) as conn:
            return "alarms.html", screens.alarms(conn, config, words, clock.now_ms()) | entered

    def missing(words: Speech, request: Request) -> tuple[str, dict[str, object]]:
        with stores.readings(data_dir) as conn:
            return "missing.html", screens.missing(conn, config, words, clock.now_ms())

    def healthz(request: Request) -> Response:
        found = health.checks(config, data_dir, clock.now_ms(), clock.trusted())
        ok = all(check.ok for check in found.values())
        body: dict[str, object] = {
            "ok": ok,
            "now": clock.now_ms(),
            "clock_trusted": clock.trusted(),
        }
        body |= {name: asdict(check) for name, check in found.items()}
        return JSONResponse(body, 200 if ok else 503)

    def metrics_(request: Request) -> Response:
        body = metrics.text(config, data_dir, clock)
        return Response(body, headers={"content-type": metrics.CONTENT_TYPE})

    def api_now(request: Request) -> Response:
        with stores.village(data_dir) as conn:
            return JSONResponse(screens.as_json(config, look(conn, config, clock.now_ms())))

    def unreadable(request: Request, error: Exception) -> Response:
        """A store names itself; what else sqlite cannot read is the committee's book."""
        known = isinstance(error, stores.UnreadableStoreError)
        broken = error if known else stores.UnreadableStoreError(book.FILE, str(error))
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": str(broken)}, 503)
        log.error("%s cannot be shown: %s", request.url.path, broken)
        status = 200 if isinstance(broken, stores.UnreadableStoreError) and broken.absent else 503
        body = templates.render("broken.html", _speech(request), request, {"broken": broken})
        return HTMLResponse(body, status)

    def refused(request: Request, error: Exception) -> Response:
        words = _speech(request)
        status = error.status_code if isinstance(error, HTTPException) else 500
        body = templates.render("error.html", words, request, {"code": status})
        return HTMLResponse(body, status)

    return Starlette(
        routes=[
            Route("/", html(front)),
            Route("/history", html(history)),
            Route("/alarms", html(alarms)),
            Route("/missing", html(missing)),
            Route("/healthz", healthz),
            Route("/metrics", metrics_),
            Route("/api/now", api_now),
            *api_alarms.routes(config, data_dir, clock, api_token),
            *LinkPages(config, data_dir, clock, templates, links).routes(),
            *gate.routes(),
            *turns.routes(),
            *TurnsForms(config, data_dir, gate).routes(),
            *WorkPages(config, data_dir, gate).routes(),
            *GaugingTests(config, gate, data_dir).routes(),
            *GuidedTests(config, data_dir, gate).routes(),
            *AlarmSteps(data_dir, gate).routes(),
            *call.CallPage(config, data_dir, gate).routes(),
            *poster.routes(gate),
            *probes.routes(),
            *help.routes(gate),
            *Events(config, data_dir).routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(StrictHeaders),
            Middleware(RememberedLanguage),
            Middleware(GZipMiddleware, minimum_size=600),
            Middleware(Looking, look=config.page.look, session=gate.session),
        ],
        exception_handlers={
            HTTPException: refused,
            500: refused,
            stores.UnreadableStoreError: unreadable,
            book.BookError: unreadable,
            sqlite3.Error: unreadable,
        },
    )


def _speech(request: Request) -> Speech:
    """The language asked for, else the one chosen last, else Azerbaijani."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    return speech(next((lang for lang in asked if lang in LANGUAGES), None) or DEFAULT)
