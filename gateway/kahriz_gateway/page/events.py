# SPDX-License-Identifier: MIT
"""Server-sent events: a word to each open page when something was measured or an alarm moved.

Without them (an old phone, too many guests, a proxy) the page asks by itself every 15 s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kahriz_gateway.page import queries, stores
from kahriz_water.site import Plan

PAUSE_S = 2.0
PING_S = 20.0  # a phone that went away is found out by the next ping
LONGEST_S = 600.0  # then the phone asks anew
MOST = 50  # phones at once; the others ask every 15 s

Mark = tuple[object, ...]


class Events:
    """The stream of one kahriz."""

    def __init__(self, plan: Plan, data_dir: Path) -> None:
        self._plan, self._data_dir = plan, data_dir
        self._open = 0

    def routes(self) -> list[Route]:
        """One address, kept open."""
        return [Route("/events", self._stream, methods=["GET"])]

    async def _stream(self, request: Request) -> Response:
        if self._open >= MOST:
            return Response(status_code=503, headers={"Retry-After": "60"})
        known = await run_in_threadpool(self._mark)  # who hears our first word misses nothing after
        return StreamingResponse(self._news(request, known), media_type="text/event-stream")

    async def _news(self, request: Request, known: Mark) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield "retry: 15000\n\n"
            begun = pinged = time.monotonic()
            while time.monotonic() - begun < LONGEST_S and not await request.is_disconnected():
                await asyncio.sleep(PAUSE_S)
                mark = await run_in_threadpool(self._mark)
                if mark != known:
                    known = mark
                    yield "data: new\n\n"
                elif time.monotonic() - pinged > PING_S:
                    pinged = time.monotonic()
                    yield ": still here\n\n"
        finally:
            self._open -= 1

    def _mark(self) -> Mark:
        """What must have changed for the page to be another one."""
        try:
            with stores.village(self._data_dir) as conn:
                heard = [queries.last_word(conn, point.id) for point in self._plan.points]
                steps = conn.execute("SELECT max(id) FROM alarm_event").fetchone()[0]
                alarms = conn.execute("SELECT count(*) FROM alarm").fetchone()[0]
                return (*heard, steps, alarms)
        except stores.UnreadableStoreError as broken:
            return (str(broken),)
