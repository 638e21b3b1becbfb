# SPDX-License-Identifier: MIT
"""The language that somebody has chosen on any page is kept on this phone for a year."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kahriz_gateway.page.words import LANGUAGES

COOKIE = "lang"
YEAR_S = 366 * 86_400


class RememberedLanguage:
    """Adds the cookie to the answer of an address that names one of our languages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[-1]
        if scope["type"] != "http" or asked not in LANGUAGES:
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = f"{COOKIE}={asked}; Max-Age={YEAR_S}; Path=/; HttpOnly; SameSite=lax"
                MutableHeaders(scope=message).append("Set-Cookie", kept)
            await send(message)

        await self._app(scope, receive, add)
