# SPDX-License-Identifier: MIT
"""Help, role by role; its pictures are made by the tests (tests/page/test_pictures.py)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_gateway.page.gate import Gate
from kahriz_gateway.page.words import mark


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one role needs to know, and the screen it is about."""

    role: str
    title: str
    picture: str
    seen: str
    steps: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "everyone",
        mark("For everyone"),
        "help-first.jpg",
        mark("The first screen with a leak"),
        (
            mark("The large number is the water of now, in litres a second; ± says how exact."),
            mark("The coloured line says how things are. Grey means: no data, not: no water."),
            mark("Full at: it is told only while the pool rises steadily."),
            mark("The line of the turn leads to what each plot got, and whether it was fair."),
            mark("The telephone calls, or says whom to call."),
        ),
    ),
    Chapter(
        "committee",
        mark("For the committee"),
        "help-turns.jpg",
        mark("The turns of a cycle"),
        (
            mark("Enter with role and PIN. Leave again on a phone that is not yours."),
            mark("Set the turns once: plots and minutes. Correct what was done otherwise."),
            mark("When water is short: look at the longer cycle first, then agree."),
            mark("A closure keeps quiet about a place as long as you say."),
        ),
    ),
    Chapter(
        "crew",
        mark("For the crew"),
        "help-alarm.jpg",
        mark("A warning with its steps"),
        (
            mark("Do not enter the gallery or a shaft"),
            mark("Take a warning on; say what it was when it is fixed. The water proves it."),
            mark("After a visit: place, cause, photo. Litres before and after stand beside it."),
            mark("Read the staff gauge when you pass: it counts when a node is dead."),
        ),
    ),
    Chapter(
        "technician",
        mark("For the technician"),
        "help-test.jpg",
        mark("The night test of a pool"),
        (
            mark("Missing readings: when each node was heard, its battery, what it still owes."),
            mark("Gauge each weir at two water levels: with a bucket, a pool or salt."),
            mark("Shut a pool for a night: in the morning the page says whether it leaks."),
            mark("On the gateway: kahriz gateway check, pin set, about, forget."),
            mark("Print the poster: it leads phones to the WiFi and to this page."),
        ),
    ),
)


def routes(gate: Gate) -> list[Route]:
    """Open to all; the chapter of who has entered comes first."""

    def show(request: Request) -> Response:
        session = gate.session(request)
        mine = session.role if session else "everyone"
        chapters = sorted(CHAPTERS, key=lambda chapter: chapter.role != mine)
        context: dict[str, object] = {"chapters": chapters}
        body = gate.templates.render("help.html", gate.speech(request), request, context)
        return HTMLResponse(body)

    return [Route("/help", show, methods=["GET"])]
