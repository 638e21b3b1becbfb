# SPDX-License-Identifier: MIT
"""An MQTT 3.1.1 endpoint for one node at a time on a real socket; what it says is lone_talk's."""

import contextlib
import socket
import threading
from collections.abc import Callable

from kahriz_sim.lone_talk import NO_FAULT, Fault, Talk

READ_BYTES = 65536


class LoneBroker:
    """Listens on 127.0.0.1; `fault()` is asked at the beginning of each session."""

    def __init__(
        self,
        said: Callable[[str, bytes], None],
        answers: Callable[[], list[tuple[str, bytes]]],
        fault: Callable[[], Fault] = lambda: NO_FAULT,
        port: int = 0,
    ) -> None:
        self._said = said
        self._answers = answers
        self._fault = fault
        self.sessions = 0
        self.failure: BaseException | None = None
        self._ear = socket.create_server(("127.0.0.1", port))
        self.port: int = self._ear.getsockname()[1]
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._serve, name="lone broker", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Wait until the last session is over on this side too."""
        self._idle.wait(30)

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._ear.accept()
            except OSError:
                return
            self._idle.clear()
            self.sessions += 1
            with line:
                try:
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._converse(line, self._fault())
                except OSError:
                    pass  # the node went away
                except BaseException as failure:  # noqa: BLE001 - handed to whoever runs the campaign
                    self.failure = failure
            self._idle.set()

    def _converse(self, line: socket.socket, fault: Fault) -> None:
        talk = Talk(self._said, self._answers, fault)
        over = False
        while not over:
            more = line.recv(READ_BYTES)
            if not more:
                return
            reply, over = talk.hear(more)
            line.sendall(reply)
