# SPDX-License-Identifier: MIT
"""The broker of one node at the other end of the board's own line: no sockets, nothing waits.

Speaks with board/chip/inner_line.py; with a TLS context it is the real OpenSSL, in memory.
"""

import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from kahriz_sim.lone_talk import Talk

PIECE_BYTES = 1400  # of an answer; the board asks for the rest
READ_BYTES = 65536


class LoneLine:
    """`talk()` begins each session; `at(ms)` is told how long the wake has lasted by then."""

    def __init__(
        self,
        talk: Callable[[], Talk],
        context: ssl.SSLContext | None = None,
        at: Callable[[int], None] = lambda ms: None,
    ) -> None:
        self._begin = talk
        self._at = at
        self._context = context
        self._end: _Plain | _Tls | None = None
        self._waiting = b""
        self._over = False
        self.sessions = 0

    def reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request of the board's."""
        self._at(asked["at"])
        if "open" in asked:
            self.sessions += 1
            talk = self._begin()
            self._end = _Plain(talk) if self._context is None else _Tls(talk, self._context)
            self._waiting, self._over = b"", False
        elif "close" in asked:
            self._end = None
            return {}
        elif "data" in asked and self._end is not None and not self._over:
            said, self._over = self._end.hear(b64decode(asked["data"]))
            self._waiting += said
        part, self._waiting = self._waiting[:PIECE_BYTES], self._waiting[PIECE_BYTES:]
        reply: dict[str, Any] = {}
        if part:
            reply["data"] = b64encode(part).decode()
        if self._waiting:
            reply["more"] = 1
        if self._over:
            reply["over"] = 1
        return reply


class _Plain:
    def __init__(self, talk: Talk) -> None:
        self.hear = talk.hear


class _Tls:
    def __init__(self, talk: Talk, context: ssl.SSLContext) -> None:
        self._talk = talk
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._agreed = False

    def hear(self, data: bytes) -> tuple[bytes, bool]:
        self._in.write(data)
        over = False
        try:
            if not self._agreed:
                self._tls.do_handshake()
                self._agreed = True
            while not over:
                heard = self._tls.read(READ_BYTES)
                said, over = self._talk.hear(heard)
                over = over or not heard
                if said:
                    self._tls.write(said)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # the alert goes out, and the line with it
            over = True
        return self._out.read(), over
