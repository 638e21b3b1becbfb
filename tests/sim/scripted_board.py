# SPDX-License-Identifier: MIT
"""A board in ten lines of script, for tests of the world's protocol."""

import json
import socket
import threading
from typing import Any

Message = dict[str, Any]


class ScriptedBoard:
    """Speaks the protocol of the real board; every call is one request and its reply."""

    def __init__(self, port: int, node: str) -> None:
        self.node = node
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300.0)
        self._file = self._socket.makefile("rb")
        self.greeting = self.ask(op="attach", node=node, pid=1)

    def ask(self, **message: Any) -> Message:
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        line = self._file.readline()
        if not line:
            raise ConnectionError("the world closed the line")
        reply: Message = json.loads(line)
        return reply

    def boot(self) -> Message:
        return self.ask(op="boot")

    def measure(self) -> Message:
        if self.node in ("pool", "tank", "chamber"):
            return self.ask(op="sense", device="loop")
        return self.ask(op="sense", device="ultrasonic", count=15)

    def sleep(self, ms: int) -> Message:
        return self.ask(op="sleep", ms=ms)

    def cut_power(self) -> None:
        """As kill -9 does."""
        self._file.close()
        self._socket.close()


class Life(threading.Thread):
    """Measures every `dt_ms` by a perfect plan until the world ends it; `wakes` is (t, cause)."""

    def __init__(self, port: int, node: str, dt_ms: int = 300_000) -> None:
        super().__init__(daemon=True)
        self.board = ScriptedBoard(port, node)
        self.dt_ms = dt_ms
        self.wakes: list[tuple[int, str]] = []
        self.measured: list[Message] = []

    def run(self) -> None:
        reply = self.board.boot()
        while reply["cause"] != "end":
            self.wakes.append((reply["t"], reply["cause"]))
            self.measured.append(self.board.measure())
            reply = self.board.sleep(self.dt_ms)
        self.board.cut_power()
