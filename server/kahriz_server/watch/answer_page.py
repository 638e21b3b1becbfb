# SPDX-License-Identifier: MIT
"""The page behind a link in an e-mail: it shows the alarm, and its button takes it, once."""

from __future__ import annotations

import html
import sqlite3

from kahriz_alarms import answers, states
from kahriz_alarms.loop import book, links
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.loop.links import LinkError, Links
from kahriz_server.watch.accept import Said
from kahriz_server.watch.store import transaction
from kahriz_water.site import Plan

HTML = "text/html; charset=utf-8"
OTHER = "other"  # what it was: at the office nobody is asked


class AnswerPage:
    """A look changes nothing: mail programs look by themselves."""

    def __init__(
        self, conn: sqlite3.Connection, plan: Plan, made: Links, clock: Clock, tells: book.Tells
    ) -> None:
        self._conn, self._plan, self._links = conn, plan, made
        self._clock, self._tells = clock, tells

    def __call__(self, method: str, text: str) -> Said:
        now = self._clock.now_ms()
        try:
            link = self._links.read(text, now)
        except LinkError:
            return _page(410, "az", answers.say(answers.LINK_OVER, "az"))
        person = self._plan.person(link.person)
        assert person is not None
        language = person.language
        try:
            if method == "POST":
                with transaction(self._conn):
                    alarm = links.use(self._conn, link, OTHER, now, self._tells)
                return _page(200, language, answers.done(link.op, [alarm], self._plan, language))
            found = book.load(self._conn, link.alarm)
        except (LinkError, states.StateError):
            return _page(410, language, answers.say(answers.LINK_OVER, language))
        except sqlite3.Error:
            return _page(503, language, "503")
        if found is None or links.used(self._conn, link):
            return _page(410, language, answers.say(answers.LINK_OVER, language))
        says = answers.named([found], self._plan, language)
        return _page(200, language, says, answers.say(answers.LINK[link.op], language))


def _page(status: int, language: str, says: str, button: str | None = None) -> Said:
    form = f'<form method="post"><button>{html.escape(button)}</button></form>' if button else ""
    text = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Kahriz</title>'
        f"<p>{html.escape(says)}</p>{form}</html>"
    )
    return Said(status, text.encode(), HTML)
