# SPDX-License-Identifier: MIT
"""The board's line to the simulated world: JSON lines over TCP, one request, one answer.

Every request carries `at`, the chip's milliseconds since this wake began.
"""

import json

import usocket

from chip import clock

_CHUNK = 256  # small, so that the program's heap is left whole


class WorldGone(BaseException):
    """The world closed the line: the process has nothing left to live in."""


class World:
    def __init__(self):
        self._sock = None
        self.ssid = None

    def open(self, host, port):
        self._sock = usocket.socket()
        self._sock.connect(usocket.getaddrinfo(host, port)[0][-1])

    def ask(self, op, **more):
        more["op"] = op
        if op not in ("attach", "boot"):
            more["at"] = clock.peek_us() // 1000
        try:
            self._sock.write(json.dumps(more) + "\n")
            line = self._sock.recv(_CHUNK)
            while not line.endswith(b"\n"):
                part = self._sock.recv(_CHUNK)
                if not part:
                    raise WorldGone("the world closed the line")
                line += part
        except OSError as error:
            raise WorldGone(f"the world closed the line: {error}") from error
        reply = json.loads(line)
        if "error" in reply:
            raise WorldGone("the world refused {}: {}".format(op, reply["error"]))
        return reply

    def sense(self, device, **more):
        return self.ask("sense", device=device, **more)


world = World()
