# SPDX-License-Identifier: MIT
"""The page in a thread of its own: when it fails, everything else goes on and it is tried again."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

from kahriz_alarms.loop.links import Links
from kahriz_gateway.clock import Clock
from kahriz_water.site import Plan

AGAIN_S = 10.0

log = logging.getLogger(__name__)


class PageThread:
    def __init__(
        self, plan: Plan, data_dir: Path, clock: Clock, links: Links | None = None
    ) -> None:
        self._plan, self._data_dir, self._clock = plan, data_dir, clock
        self._links = links
        self.address: tuple[str, int] | None = None

    def run(self, stop: threading.Event) -> None:
        said = ""
        while not stop.is_set():
            try:
                with _listen(self._plan.page.host, self._plan.page.port) as sock:
                    said = ""
                    self._serve(sock, stop)
            except OSError as error:
                text = (
                    f"no page at {self._plan.page.host}:{self._plan.page.port} ({error.strerror}): "
                    "stop what uses this port, or give another with --page"
                )
                if text != said:
                    log.error("%s", text)
                said = text
                self.address = None
                stop.wait(AGAIN_S)

    def _serve(self, sock: socket.socket, stop: threading.Event) -> None:
        import uvicorn

        from kahriz_gateway.page.api_alarms import token_or_none
        from kahriz_gateway.page.app import create_app

        token = token_or_none(self._data_dir)
        app = create_app(self._plan, self._data_dir, self._clock, token, self._links)
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        self.address = sock.getsockname()[:2]
        log.info("page: http://%s:%s", *self.address)
        ender = threading.Thread(target=_end, args=(server, stop), name="page end", daemon=True)
        ender.start()
        server.run(sockets=[sock])


def _end(server: object, stop: threading.Event) -> None:
    stop.wait()
    server.should_exit = True  # type: ignore[attr-defined]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
