# SPDX-License-Identifier: MIT
"""The alarms over HTTP, for whoever holds the token; what the village enters: api_village.

    GET  /api/alarms[?all=1]          GET  /api/alarms/7
    POST /api/alarms/7/ack            {"who": "ali"}
    POST /api/alarms/7/coming         {"who": "ali"}
    POST /api/alarms/7/fixed          {"who": "ali", "cause": "joint", "note": "…"}
    POST /api/alarms/7/shelve         {"who": "ali", "hours": 12, "note": "the reason"}
    POST /api/alarms/7/close          {"who": "ali", "cause": "other", "note": "…"}
    GET  /api/stats                   time to repair, rings for nothing, messages sent
    GET  /api/advisory                "do not drink until tested": null while none runs
    POST /api/advisory/start          {"who": "rena", "days": 3, "note": "the reason"}
    POST /api/advisory/end            {"who": "rena", "note": "who has tested it"}

With `Authorization: Bearer <token>`; the token lies in the file api.token of the data folder.
"""

from __future__ import annotations

import hmac
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kahriz_alarms import states
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.service import kept_secret
from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.alarms.cli_advisory import full
from kahriz_gateway.clock import Clock
from kahriz_gateway.page import stores
from kahriz_gateway.page.api_asked import BODY_BYTES, AskedWrongError, asked, asked_days, body_of
from kahriz_gateway.page.api_village import VillageApi
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

log = logging.getLogger(__name__)

TOKEN_FILE = "api.token"
A_MINUTE = 120  # requests with the token
WRONG_A_MINUTE = 10  # without it: guessing is slow, and whoever has it is not shut out
STEPS = {
    "ack": "acknowledged",
    "coming": "coming",
    "fixed": "fixed",
    "shelve": "shelved",
    "close": "closed",
}


class Limit:
    """So many in any minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque()
        self._turn = threading.Lock()

    def passes(self) -> bool:
        now = time.monotonic()
        with self._turn:
            while self._times and now - self._times[0] > 60:
                self._times.popleft()
            if len(self._times) >= self._most:
                return False
            self._times.append(now)
            return True


def token(data_dir: Path) -> str:
    """The token of this gateway."""
    return kept_secret.kept(data_dir, TOKEN_FILE)


def token_or_none(data_dir: Path) -> str | None:
    """None where no token can be kept: then there is no API, and the page goes on."""
    try:
        return token(data_dir)
    except kept_secret.SecretError as error:
        log.error("no API: %s; the page goes on", error)
        return None


def routes(plan: Plan, data_dir: Path, clock: Clock, secret: str | None) -> list[Route]:
    """The routes, to be hung beside those of the page; none without a token."""
    if secret is None:
        return []
    right, wrong = Limit(A_MINUTE), Limit(WRONG_A_MINUTE)
    wanted = f"Bearer {secret}".encode()

    def guarded(
        answer: Callable[[Request, bytes], Response], most: int = BODY_BYTES
    ) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, wanted):
                if not wrong.passes():
                    return _error("too many tries: wait a minute", 429)
                return _error(f"a token is wanted: see {TOKEN_FILE} in the data folder", 401)
            if not right.passes():
                return _error(f"at most {A_MINUTE} requests a minute", 429)
            try:
                body = await body_of(request, most)
                return await run_in_threadpool(answer, request, body)
            except AskedWrongError as error:
                return _error(str(error), 400)
            except alarm_book.NoAlarmError as error:
                return _error(str(error), 404)
            except states.StateError as error:
                return _error(str(error), 409)
            except (stores.UnreadableStoreError, sqlite3.Error) as error:
                return _error(str(error), 503)

        return endpoint

    def list_(request: Request, body: bytes) -> Response:
        look = alarm_book.alarms if request.query_params.get("all") else alarm_book.open_alarms
        with stores.village(data_dir) as conn:
            return JSONResponse({"alarms": [_full(one) for one in look(conn)]})

    def show(request: Request, body: bytes) -> Response:
        ident = _ident(request)
        with stores.village(data_dir) as conn:
            alarm = alarm_book.known(conn, ident)
            told = [asdict(step) for step in alarm_book.steps(conn, ident)]
            return JSONResponse({**_full(alarm), "steps": told})

    def step(request: Request, body: bytes) -> Response:
        op = request.path_params["op"]
        if op not in STEPS:
            raise AskedWrongError(f"no step {op!r}: one of {', '.join(STEPS)}")
        ident, now = _ident(request), clock.now_ms()
        who, note, data = asked(op, body, now)
        with writer(data_dir) as conn:
            after = alarm_hands.take(conn, ident, STEPS[op], who, now, note, data)
        return JSONResponse(_full(after))

    def stats(request: Request, body: bytes) -> Response:
        with stores.village(data_dir) as conn:
            return JSONResponse(alarm_stats.stats(conn, clock.now_ms()))

    def advisory(request: Request, body: bytes) -> Response:
        with stores.village(data_dir) as conn:
            found = alarm_advisory.running(conn, plan)
        return JSONResponse(None if found is None else full(found))

    def advise(request: Request, body: bytes) -> Response:
        op, now = request.path_params["op"], clock.now_ms()
        if op not in ("start", "end"):
            raise AskedWrongError(f"no step {op!r}: start or end")
        who, note, days = asked_days(op, body)
        with writer(data_dir) as conn, village_store.transaction(conn):
            if op == "start":
                until = now + round(days * alarm_advisory.DAY_MS)
                made = alarm_advisory.start(conn, plan, until, who, note, now, alarm_hands.TELLS)
                return JSONResponse(full(made))
            ended = alarm_advisory.end(conn, plan, who, now, alarm_hands.TELLS, note)
        if ended is None:
            raise states.StateError("no advisory is running")
        return JSONResponse(_full(ended))

    return [
        Route("/api/alarms", guarded(list_), methods=["GET"]),
        Route("/api/alarms/{ident}", guarded(show), methods=["GET"]),
        Route("/api/alarms/{ident}/{op}", guarded(step), methods=["POST"]),
        Route("/api/stats", guarded(stats), methods=["GET"]),
        Route("/api/advisory", guarded(advisory), methods=["GET"]),
        Route("/api/advisory/{op}", guarded(advise), methods=["POST"]),
        *VillageApi(plan, data_dir, clock, writer).routes(guarded),
    ]


@contextmanager
def writer(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """village.db to write to; the page never makes it."""
    path = data_dir / "village.db"
    if not path.exists():
        raise stores.UnreadableStoreError(path.name, "no such file", absent=True)
    conn = village_store.open_village(path)
    try:
        yield conn
    finally:
        conn.close()


def _ident(request: Request) -> int:
    text = str(request.path_params["ident"])
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise AskedWrongError("the number of an alarm is digits")
    return int(text)


def _full(alarm: Alarm) -> dict[str, Any]:
    return {**asdict(alarm), "hours_to_repair": alarm_stats.hours_to_repair(alarm)}


def _error(text: str, status: int) -> JSONResponse:
    return JSONResponse({"error": text}, status)
