# SPDX-License-Identifier: MIT
"""The page behind a link of an e-mail: GET shows what it would do, POST does it, once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES
from kahriz_alarms.loop import links as alarm_links
from kahriz_alarms.loop.links import Link, LinkError, Links
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.clock import Clock
from kahriz_gateway.page import api_alarms, forms, labels, stores
from kahriz_gateway.page.templating import Templates
from kahriz_gateway.page.words import mark, speech
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

A_MINUTE = 60  # looks and answers of everybody together
OPS = {"ack": mark("Take it on"), "coming": mark("I am on my way"), "fixed": mark("It is fixed")}
DONE = {
    "ack": mark("It is yours now."),
    "coming": mark("The others know that you are on your way."),
    "fixed": mark("Reported fixed. It stays open until the water proves it."),
}
WRONG = {
    "wrong": mark("This link was not made here, or it is not whole."),
    "over": mark("This link is too old. A newer message has newer links."),
    "used": mark("This link has been used already. Nothing was done a second time."),
    "unknown": mark("There is no such warning or person any more."),
    "cannot": mark("That is not possible now: somebody was faster, or it is closed."),
    "cause": mark("Please say what it was."),
}
STATUS = {"wrong": 404, "over": 410, "used": 409, "unknown": 404, "cannot": 409, "cause": 400}
CAUSE_NAMES = labels.CAUSES


class LinkPages:
    """`links` of None: there are none, and every address is wrong."""

    def __init__(
        self, plan: Plan, data_dir: Path, clock: Clock, templates: Templates, links: Links | None
    ) -> None:
        self._plan, self._data_dir, self._clock = plan, data_dir, clock
        self._templates, self._links = templates, links
        self._limit = api_alarms.Limit(A_MINUTE)

    def routes(self) -> list[Route]:
        path = alarm_links.PATH + "{link}"
        return [
            Route(path, self._look, methods=["GET"]),
            Route(path, self._press, methods=["POST"]),
        ]

    def _look(self, request: Request) -> Response:
        return self._answer(request, None)

    async def _press(self, request: Request) -> Response:
        try:
            found = await forms.fields(request)
        except forms.TooLongError:
            return HTMLResponse("", 413)
        return await run_in_threadpool(self._answer, request, found)

    def _answer(self, request: Request, form: dict[str, str] | None) -> Response:
        """What the link would do, or, with a form, what it did."""
        if not self._limit.passes():
            return HTMLResponse("", 429)
        now = self._clock.now_ms()
        link: Link | None = None
        try:
            if self._links is None:
                raise LinkError("wrong")
            link = self._links.read(request.path_params["link"], now)
            if form is not None:
                self._take(link, form, now)
                return self._page(request, link, done=True)
            with stores.village(self._data_dir) as conn:
                if alarm_links.used(conn, link):
                    raise LinkError("used")
            return self._page(request, link)
        except LinkError as error:
            return self._page(request, link, wrong=error.why)
        except states.StateError:
            return self._page(request, link, wrong="cannot")
        except (stores.UnreadableStoreError, sqlite3.Error):
            return HTMLResponse("", 503)

    def _take(self, link: Link, form: dict[str, str], now: int) -> None:
        cause = forms.chosen(form, "cause", CAUSES)
        if link.op == "fixed" and cause is None:
            raise LinkError("cause")
        with api_alarms.writer(self._data_dir) as conn, village_store.transaction(conn):
            alarm_links.use(conn, link, cause, now, alarm_hands.TELLS)

    def _page(
        self, request: Request, link: Link | None, wrong: str = "", done: bool = False
    ) -> Response:
        person = self._plan.person(link.person) if link else None
        words = speech(person.language if person else "")
        alarm = None
        if link is not None and person is not None:
            with stores.village(self._data_dir) as conn:
                alarm = alarm_book.load(conn, link.alarm)
        context: dict[str, object] = {
            "link": link,
            "alarm": alarm,
            "person": person,
            "ask": OPS[link.op] if link else "",
            "said": words.text(DONE[link.op]) if link and done else "",
            "wrong": words.text(WRONG[wrong]) if wrong else "",
            "again": wrong == "cause",
            "causes": CAUSE_NAMES,
            "labels": labels,
            "now_ms": self._clock.now_ms(),
        }
        body = self._templates.render("link.html", words, request, context)
        return HTMLResponse(body, STATUS.get(wrong, 200))
