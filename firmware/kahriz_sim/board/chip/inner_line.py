# SPDX-License-Identifier: MIT
"""Sockets over the board's own line to the world, and a `select` that knows them: no wait is real.

A world that says `line` in its answer to `attach` is itself the other end of every connection. It
answers in the same breath and never speaks by itself, so that a wait for it would be in vain: the
chip's time passes, ours does not.
"""

import binascii

from micropython import const

from chip import clock
from chip.world import world

POLLIN, POLLOUT, POLLERR, POLLHUP = const(1), const(4), const(8), const(16)
_IOCTL_POLL = const(3)
_PIECE = const(1436)  # of the world's answers too: a segment of the chip's TCP
_FLIGHT_US = const(4000)  # there and back
_FOREVER_MS = const(3_600_000)  # longer than any watchdog

used = False  # set once, before the program's first wake


class socket:  # noqa: N801 - the name it has on the host
    def __init__(self):
        self._heard = b""
        self._more = False  # the world holds more than fits into one answer
        self._open = False
        self._over = False  # the other end has closed

    def setblocking(self, flag):
        pass

    def connect(self, address):
        self._take(world.ask("line", open=1))
        self._open = True

    def bind(self, address):
        self._over = True

    def listen(self, backlog):
        self._over = True

    def send(self, data):
        data = data[:_PIECE]
        clock.now.charged_us += _FLIGHT_US
        if not self._over:
            self._take(world.ask("line", data=binascii.b2a_base64(data)[:-1]))
        return len(data)

    def recv(self, size):
        if not self._heard and self._more:
            self._take(world.ask("line"))
        part, self._heard = self._heard[:size], self._heard[size:]
        return part

    def close(self):
        if self._open:
            self._open = False
            world.ask("line", close=1)

    def ioctl(self, request, flags):
        if request != _IOCTL_POLL:
            return -22
        events = POLLOUT & flags if self._open else 0
        if self._heard or self._more or (self._open and self._over):
            events |= POLLIN & flags
        return events

    def _take(self, reply):
        self._heard += binascii.a2b_base64(reply.get("data", ""))
        self._more = bool(reply.get("more"))
        self._over = bool(reply.get("over"))


class poll:  # noqa: N801
    """As the host's, for whatever answers ioctl."""

    def __init__(self):
        self._watched = []

    def register(self, stream, flags=POLLIN | POLLOUT):
        self.unregister(stream)
        self._watched.append((stream, flags))

    modify = register

    def unregister(self, stream):
        self._watched = [one for one in self._watched if one[0] is not stream]

    def poll(self, ms=-1):
        found = []
        for stream, flags in self._watched:
            events = stream.ioctl(_IOCTL_POLL, flags)
            if events:
                found.append((stream, events))
        if not found and ms:
            clock.charge_us((ms if ms > 0 else _FOREVER_MS) * 1000)
        return found
