# SPDX-License-Identifier: MIT
"""The server's HTTP: heartbeats, /healthz, /metrics; one request a connection, and a deadline.

What is slow, too large or not HTTP loses its connection, and only that. `h11` reads the protocol;
nothing here waits for a disk in the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import h11

from kahriz_alarms.heartbeat.beat import MOST_BYTES, PATH, SIGNATURE
from kahriz_alarms.loop import links
from kahriz_server.watch.accept import Said, answer

DEADLINE_S = 10.0  # for a whole request, from the connection to the answer
MOST_HEAD = 8192
MOST_AT_ONCE = 500  # connections; more wait in the kernel's queue
BACKLOG = 512
MOST_SWALLOWED = 4_000_000
SWALLOW_S = 1.0

log = logging.getLogger(__name__)

Take = Callable[[bytes, str], Said]
Page = Callable[[], Said]
Link = Callable[[str, str], Said]  # method, what follows the path


@dataclass(frozen=True, slots=True)
class Handlers:
    """What answers: heartbeats in one thread of their own, pages by their path."""

    take: Take
    pages: dict[str, Page]
    link: Link | None = None


class TooLargeError(Exception):
    """A body beyond what any heartbeat has."""


class Server:
    """Serves on a socket until `stop`; `run` is the body of a thread."""

    def __init__(
        self,
        sock: socket.socket,
        handlers: Handlers,
        tls: ssl.SSLContext | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._sock, self._handlers, self._tls = sock, handlers, tls
        self.deadline_s = deadline_s  # of the next connection
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self.dropped = 0  # connections that were not heard to the end

    def run(self, stop: threading.Event) -> None:
        asyncio.run(self._run(stop))
        self._sock.close()

    async def _run(self, stop: threading.Event) -> None:
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        with ThreadPoolExecutor(1, thread_name_prefix="keeps") as self._pool:
            server = await asyncio.start_server(
                self._meet,
                sock=self._sock.dup(),  # closed at the end of this run, and there may be another
                ssl=self._tls,
                backlog=BACKLOG,
                limit=MOST_HEAD,
                ssl_handshake_timeout=self.deadline_s if self._tls else None,
            )
            async with server:
                while not stop.is_set():
                    await asyncio.sleep(0.1)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._room, asyncio.timeout(self.deadline_s):
                await self._exchange(reader, writer)
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            self.dropped += 1
        except Exception:  # the outermost edge of one connection: the others go on
            log.exception("a request")
        finally:
            if writer.transport.get_write_buffer_size():  # nobody takes the answer
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        try:
            said = await self._answer(talk, reader, writer)
        except TooLargeError:
            said = answer(413, error=f"more than {MOST_BYTES} bytes")
        except h11.RemoteProtocolError as error:
            said = answer(error.error_status_hint or 400, error="not HTTP as it should be")
            self.dropped += 1
        head = h11.Response(
            status_code=said.status,
            headers=[
                ("Content-Type", said.content_type),
                ("Content-Length", str(len(said.body))),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", "default-src 'none'; form-action 'self'"),
                ("Referrer-Policy", "no-referrer"),  # the address of a link is its power
                ("Connection", "close"),
            ],
        )
        if talk.our_state not in (h11.SEND_RESPONSE, h11.IDLE):
            return
        for event in (head, h11.Data(data=said.body), h11.EndOfMessage()):
            writer.write(talk.send(event) or b"")
        await writer.drain()
        if said.status >= 400:  # what is still on its way is taken, or it would undo the answer
            await _swallow(reader)

    async def _answer(
        self, talk: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Said:
        request, body = None, b""
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                if talk.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(talk.send(go_on) or b"")
                talk.receive_data(await reader.read(MOST_HEAD))
            elif isinstance(event, h11.Request):
                request = event
                _refuse_large(request)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
                if len(body) > MOST_BYTES:
                    raise TooLargeError
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                return await self._handle(request, body)
            else:  # the other side has gone before it said all
                raise h11.RemoteProtocolError("gone")

    async def _handle(self, request: h11.Request, body: bytes) -> Said:
        path = request.target.decode("ascii", "replace").partition("?")[0]
        method = request.method.decode("ascii", "replace")
        if path == PATH:
            if method != "POST":
                return answer(405, error="POST a heartbeat here")
            signature = _header(request, SIGNATURE)
            call = self._handlers.take
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, call, body, signature
            )
        link = self._handlers.link
        if link is not None and path.startswith(links.PATH) and method in ("GET", "POST"):
            rest = path.removeprefix(links.PATH)
            return await asyncio.get_running_loop().run_in_executor(self._pool, link, method, rest)
        page = self._handlers.pages.get(path)
        if page is None:
            return answer(404, error="there is nothing here")
        if method != "GET":
            return answer(405, error="GET this")
        return await asyncio.get_running_loop().run_in_executor(self._pool, page)


async def _swallow(reader: asyncio.StreamReader) -> None:
    left = MOST_SWALLOWED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SWALLOW_S):
            while left > 0 and (part := await reader.read(65_536)):
                left -= len(part)


def _header(request: h11.Request, name: str) -> str:
    wanted = name.lower().encode()
    return next((v.decode("ascii", "replace") for k, v in request.headers if k == wanted), "")


def _refuse_large(request: h11.Request) -> None:
    size = _header(request, "Content-Length")
    if size.isdecimal() and int(size) > MOST_BYTES:
        raise TooLargeError


def listen(host: str, port: int) -> socket.socket:
    """A listening address; OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)  # who comes before the loop turns waits a moment
    except OSError:
        sock.close()
        raise
    return sock
