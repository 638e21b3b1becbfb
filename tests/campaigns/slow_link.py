# SPDX-License-Identifier: MIT
"""A link with a round trip of its own between a node and its broker, and how long it was in use."""

import contextlib
import queue
import socket
import threading
import time

Piece = tuple[float, bytes]  # when it has passed the link, and what


class SlowLink:
    """Forwards one connection after the other; each direction is late by half of `round_ms`.

    `used_ms` holds, for each connection, the time from its beginning to the node's end of it. The
    round trip of the TCP handshake itself is not in it: the kernel makes that one at once.
    """

    def __init__(self, port: int, round_ms: float) -> None:
        self._to = port
        self._late_s = round_ms / 2000
        self.used_ms: list[float] = []
        self._over: queue.Queue[float] = queue.Queue()
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._ear.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        self._thread.join(timeout=10)

    def took_ms(self) -> float:
        """Wait until a connection is over on both sides; each answer stands for the next one."""
        return self._over.get(timeout=30)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._ear.accept()
            except OSError:
                return
            begun = time.perf_counter()
            with near, socket.create_connection(("127.0.0.1", self._to)) as far:
                for line in (near, far):
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
                back.start()
                ended = self._carry(near, far)
                self.used_ms.append((ended - begun) * 1000)
                back.join(timeout=10)
            self._over.put(self.used_ms[-1])

    def _carry(self, source: socket.socket, target: socket.socket) -> float:
        """Carry until the source ends; returns when that was."""
        under_way: queue.Queue[Piece] = queue.Queue()
        out = threading.Thread(target=self._deliver, args=(under_way, target), daemon=True)
        out.start()
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            heard = time.perf_counter()
            under_way.put((heard + self._late_s, data))
            if not data:
                out.join(timeout=10)
                return heard

    def _deliver(self, under_way: "queue.Queue[Piece]", target: socket.socket) -> None:
        """Each piece when its time has come, however many others are under way."""
        with contextlib.suppress(OSError):
            while True:
                due, data = under_way.get()
                time.sleep(max(due - time.perf_counter(), 0.0))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
