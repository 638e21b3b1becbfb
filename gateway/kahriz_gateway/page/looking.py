# SPDX-License-Identifier: MIT
"""Who may look: everybody, the village's own network, or only who has entered (`[page] look`).

What has its own key stays open: the gate itself, links of e-mails, the API with its token; and what
says nothing of the village: health, static files, the probes of phones.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kahriz_alarms.loop import links as alarm_links
from kahriz_gateway.committee import sessions
from kahriz_gateway.committee.sessions import Session
from kahriz_gateway.page.probes import PROBES

KEYED = ("/enter", "/leave", "/healthz", *PROBES)
KEYED_UNDER = ("/static/", alarm_links.PATH, "/api/")
SHUT = ("/api/now",)  # the front screen for programs, without a token


class Looking:
    """Sends whoever may not look to the gate."""

    def __init__(
        self, app: ASGIApp, look: str, session: Callable[[Request], Session | None]
    ) -> None:
        self._app, self._look, self._session = app, look, session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._look == "all":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if self._open(request) or await run_in_threadpool(self._session, request) is not None:
            await self._app(scope, receive, send)
            return
        path = request.url.path
        refused: Response
        if path in SHUT or path == "/metrics":
            refused = JSONResponse({"error": "not open: [page] look"}, 403)
        else:
            refused = RedirectResponse(f"/enter?next={quote(path, safe='/')}", 303)
        await refused(scope, receive, send)

    def _open(self, request: Request) -> bool:
        path = request.url.path
        if path in KEYED or (path.startswith(KEYED_UNDER) and path not in SHUT):
            return True
        # TLS proves a secret way, not the village: only the address does
        address = request.client.host if request.client else ""
        return self._look == "village" and sessions.near(address, "http")
