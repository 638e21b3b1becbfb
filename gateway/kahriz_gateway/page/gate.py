# SPDX-License-Identifier: MIT
"""The gate before everything that changes something: who has entered, with which PIN, from where.

Looking is open. Whoever wants to write enters with role and PIN, over TLS or inside the village's
own network; each form carries the mark of the session.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kahriz_gateway.clock import Clock
from kahriz_gateway.committee import book, pins, sessions
from kahriz_gateway.committee.sessions import Session, near
from kahriz_gateway.page import forms, photos, stores
from kahriz_gateway.page.templating import Templates
from kahriz_gateway.page.words import Speech, mark

log = logging.getLogger(__name__)

KEEP = "/keep"
ROLES = {"committee": mark("Committee"), "crew": mark("Crew"), "technician": mark("Technician")}


@dataclass(frozen=True)
class Asked:
    """A form of somebody who may send it."""

    request: Request
    words: Speech
    session: Session
    fields: dict[str, str]
    conn: sqlite3.Connection
    now_ms: int
    photo: bytes = b""

    def write(self, kind: str, body: dict[str, object], replaces: int | None = None) -> int:
        """Write an entry into the book, in the name of who has entered."""
        who = self.session
        once = self.fields.get("once", "")[:32]
        return book.write(self.conn, self.now_ms, who.person, who.role, kind, body, replaces, once)


class Gate:
    """Entering, leaving, and the check before each form."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        templates: Templates,
        speech: Callable[[Request], Speech],
    ) -> None:
        self._data_dir, self._clock = data_dir, clock
        self.templates, self.speech = templates, speech

    def routes(self) -> list[Route]:
        """The page where one enters, and the button that leaves."""
        return [
            Route("/enter", self._show, methods=["GET"]),
            Route("/enter", self._enter, methods=["POST"]),
            Route("/leave", self._leave, methods=["POST"]),
        ]

    def now_ms(self) -> int:
        """The gateway's time."""
        return self._clock.now_ms()

    @contextmanager
    def book(self) -> Iterator[sqlite3.Connection]:
        """The committee's book, open for as long as it is needed."""
        conn = book.open_book(self._data_dir)
        try:
            yield conn
        finally:
            conn.close()

    def session(self, request: Request) -> Session | None:
        """Who has entered on this phone, if anybody; an unreadable book is nobody."""
        cookie = _cookie(request)
        if not cookie or not (self._data_dir / book.FILE).exists():
            return None
        try:
            with closing(book.look(self._data_dir)) as conn:
                return sessions.read(conn, cookie, self._clock.now_ms())
        except book.EmptyBookError:
            return None
        except (book.BookError, sqlite3.Error) as error:
            log.error("nobody is let in: %s", error)
            return None

    def shown(
        self, page: Callable[[Asked], Response], *roles: str
    ) -> Callable[[Request], Response]:
        """A page for those of some roles; others are sent to the gate."""

        def endpoint(request: Request) -> Response:
            answer = self._let_in(request, {}, page, roles)
            # back from a cut network the phone shows the form with what was typed
            answer.headers["Cache-Control"] = "private, no-cache"
            return answer

        return endpoint

    def sent(self, step: Callable[[Asked], Response], *roles: str) -> Callable[[Request], object]:
        """What a form does, for those of some roles, with the mark of their session."""

        async def endpoint(request: Request) -> Response:
            try:
                found, photo = await forms.fields_and_photo(request, photos.MOST_BYTES)
            except forms.TooLongError:
                raise HTTPException(413) from None
            return await run_in_threadpool(self._let_in, request, found, step, roles, photo)

        return endpoint

    def form(
        self,
        path: str,
        show: Callable[[Asked], Response],
        step: Callable[[Asked], Response],
        *roles: str,
    ) -> list[Route]:
        """The page of a form, and where it is sent: an address of its own.

        Sent to the page's own address, a form that fails on the way would be gone from the phone.
        """

        def again(request: Request) -> Response:
            return RedirectResponse(request.url.path.removesuffix(KEEP), 303)

        return [
            Route(path, self.shown(show, *roles), methods=["GET"]),
            Route(path + KEEP, self.sent(step, *roles), methods=["POST"]),
            Route(path + KEEP, again, methods=["GET"]),
        ]

    def _let_in(
        self,
        request: Request,
        found: dict[str, str],
        step: Callable[[Asked], Response],
        roles: tuple[str, ...],
        photo: bytes = b"",
    ) -> Response:
        try:
            return self._checked(request, found, step, roles, photo)
        except (stores.UnreadableStoreError, book.BookError, sqlite3.Error, OSError) as error:
            log.error("%s %s was not kept: %s", request.method, request.url.path, error)
            context: dict[str, object] = {"sent": request.method == "POST"}
            words = self.speech(request)
            return HTMLResponse(self.templates.render("unkept.html", words, request, context), 503)

    def _checked(
        self,
        request: Request,
        found: dict[str, str],
        step: Callable[[Asked], Response],
        roles: tuple[str, ...],
        photo: bytes,
    ) -> Response:
        now_ms = self._clock.now_ms()
        with self.book() as conn:
            session = sessions.read(conn, _cookie(request), now_ms)
            if session is None:
                back = quote(request.url.path.removesuffix(KEEP), safe="/")
                return RedirectResponse(f"/enter?next={back}", 303)
            if session.role not in roles:
                raise HTTPException(403)
            if request.method == "POST" and not sessions.right_mark(session, found.get("mark", "")):
                raise HTTPException(403)
            if request.method == "POST" and book.kept(conn, found.get("once", "")) is not None:
                return RedirectResponse("/work", 303)
            return step(Asked(request, self.speech(request), session, found, conn, now_ms, photo))

    def _show(self, request: Request) -> Response:
        return self._page(request, "", 200)

    async def _enter(self, request: Request) -> Response:
        try:
            found = await forms.fields(request)
        except forms.TooLongError:
            raise HTTPException(413) from None
        return await run_in_threadpool(self._try, request, found)

    def _try(self, request: Request, found: dict[str, str]) -> Response:
        words, now_ms = self.speech(request), self._clock.now_ms()
        address = request.client.host if request.client else ""
        if not near(address, request.url.scheme):
            return self._page(
                request, words.text("PINs are taken only inside the village's network."), 403
            )
        role = forms.chosen(found, "role", tuple(ROLES))
        with self.book() as conn:
            try:
                person = pins.enter(conn, role or "", found.get("pin", ""), address, now_ms)
            except pins.WaitError as wait:
                until = words.format.clock(wait.until_ms + 60_000)
                text = words.text("Too many wrong PINs. Try again at %(time)s.", time=until)
                return self._page(request, text, 429)
            if person is None or role is None:
                return self._page(request, words.text("This role has no such PIN."), 403)
            cookie = sessions.begin(conn, person, role, now_ms)
            book.write(conn, now_ms, person, role, "entered", {})
        answer = RedirectResponse(_inside(found.get("next", "/")), 303)
        answer.set_cookie(
            sessions.COOKIE,
            cookie,
            max_age=sessions.LONG_MS // 1000,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _leave(self, request: Request) -> Response:
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(sessions.COOKIE, httponly=True, samesite="strict")
        return answer

    def _page(self, request: Request, wrong: str, status: int) -> Response:
        context: dict[str, object] = {
            "roles": ROLES,
            "wrong": wrong,
            "next": _inside(request.query_params.get("next", "/")),
        }
        words = self.speech(request)
        return HTMLResponse(self.templates.render("enter.html", words, request, context), status)


def _cookie(request: Request) -> str | None:
    """The cookie of a session; none counts that came over open HTTP from outside the village."""
    address = request.client.host if request.client else ""
    return request.cookies.get(sessions.COOKIE) if near(address, request.url.scheme) else None


def _inside(path: str) -> str:
    """Where to go on: a path of this page, never another site."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if plain and path.isprintable() else "/"
