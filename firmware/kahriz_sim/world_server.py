# SPDX-License-Identifier: MIT
"""The world's TCP side: JSON lines, one request, one reply, from any number of board processes."""

import json
import selectors
import socket
from collections.abc import Callable
from typing import Any

LINE_MAX = 65_536  # no request is longer than a hundred bytes
Message = dict[str, Any]


class Line:
    """One board on the line, and where it stands in its life."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""
        self.node = ""
        self.wake = 0
        self.wake_ms = 0  # simulated time of this wake
        self.sensed = False  # a sensor was served in this wake
        self.awake_since_s: float | None = None  # wall clock
        self.due_ms: int | None = None  # asleep until
        self.due_cause = "deepsleep"
        self.buttoned = False

    @property
    def asleep(self) -> bool:
        return self.due_ms is not None


class Server:
    """Owns the sockets. `answer` returns the reply, or None when it will be sent later."""

    def __init__(
        self,
        answer: Callable[[Line, Message], Message | None],
        gone: Callable[[Line], None],
    ) -> None:
        self._answer = answer
        self._gone = gone
        self._selector = selectors.DefaultSelector()
        self._ear: socket.socket | None = None
        self._bell, self._bell_end = socket.socketpair()
        self._bell.setblocking(False)
        self._bell_end.setblocking(False)
        self._selector.register(self._bell_end, selectors.EVENT_READ)
        self.lines: list[Line] = []

    def listen(self) -> int:
        self._ear = socket.create_server(("127.0.0.1", 0))
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        return int(self._ear.getsockname()[1])

    def ring(self) -> None:
        """Wake poll() from another thread."""
        try:
            self._bell.send(b"!")
        except OSError:
            return  # it rings already, or nobody is at home any more

    def poll(self, timeout_s: float | None) -> None:
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._ear:
                self._accept()
            elif key.fileobj is self._bell_end:
                self._bell_end.recv(4096)
            elif isinstance(key.data, Line):
                self._read(key.data)

    def send(self, line: Line, reply: Message) -> None:
        try:
            line.sock.sendall(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        except OSError:
            self.drop(line)

    def drop(self, line: Line) -> None:
        if line not in self.lines:
            return
        self.lines.remove(line)
        self._selector.unregister(line.sock)
        line.sock.close()
        self._gone(line)

    def close(self) -> None:
        for line in list(self.lines):
            self.drop(line)
        for sock in (self._ear, self._bell, self._bell_end):
            if sock is not None:
                sock.close()
        self._selector.close()

    def _accept(self) -> None:
        if self._ear is None:
            return
        sock, _ = self._ear.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(sock)
        self.lines.append(line)
        self._selector.register(sock, selectors.EVENT_READ, line)

    def _read(self, line: Line) -> None:
        try:
            chunk = line.sock.recv(4096)
        except OSError:
            chunk = b""
        if not chunk or len(line.buffer) > LINE_MAX:
            self.drop(line)
            return
        line.buffer += chunk
        while b"\n" in line.buffer and line in self.lines:
            request, line.buffer = line.buffer.split(b"\n", 1)
            try:
                message = json.loads(request)
                if not isinstance(message, dict):
                    raise ValueError("not an object")
            except ValueError as error:
                self.send(line, {"error": f"not a JSON object: {error}"})
                continue
            reply = self._answer(line, message)
            if reply is not None:
                self.send(line, reply)
