# SPDX-License-Identifier: MIT
"""An MQTT 3.1.1 endpoint for one node at a time: no queue, no retention, its faults on request.

`said(topic, payload) -> None` hears each PUBLISH; `answers() -> [(topic, payload), …]` is asked
when all that has arrived is heard, as a gateway answers after its commit.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

CONNACK = b"\x20\x02\x00\x00"
READ_BYTES = 65536


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a session."""

    silent: bool = False  # accepts and says nothing at all
    lose_pubacks: bool = False
    lose_answers: int = 0  # so many of the answers never arrive
    reset_after: int | None = None  # publishes heard before the line breaks
    unheard_after: int | None = None  # publishes after this one reach the broker, not the gateway


NO_FAULT = Fault()


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
        heard = b""
        publishes = lost = 0
        while True:
            more = line.recv(READ_BYTES)
            if not more:
                return
            heard += more
            if fault.silent:
                continue
            reply = b""
            while True:
                packet, heard = take(heard)
                if packet is None:
                    break
                kind, body = packet
                if kind & 0xF0 == 0x10:
                    reply += CONNACK
                elif kind == 0x82:
                    reply += b"\x90\x03" + body[:2] + b"\x00"
                elif kind & 0xF0 == 0x30:
                    publishes += 1
                    if fault.reset_after is not None and publishes > fault.reset_after:
                        return
                    size = int.from_bytes(body[:2], "big")
                    at = 2 + size + (2 if kind & 0x06 else 0)
                    if fault.unheard_after is None or publishes <= fault.unheard_after:
                        self._said(body[2 : 2 + size].decode(), body[at:])
                    if kind & 0x06 and not fault.lose_pubacks:
                        reply += b"\x40\x02" + body[2 + size : at]
                elif kind == 0xE0:
                    line.sendall(reply)
                    return
            for topic, payload in self._answers():
                if lost < fault.lose_answers:
                    lost += 1
                else:
                    reply += publish(topic, payload)
            line.sendall(reply)


def take(data: bytes) -> tuple[tuple[int, bytes] | None, bytes]:
    """The first whole packet as (first byte, body), and what follows it."""
    size = shift = 0
    at = 1
    while True:
        if at >= len(data):
            return None, data
        size |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            break
    if len(data) < at + size:
        return None, data
    return (data[0], data[at : at + size]), data[at + size :]


def publish(topic: str, payload: bytes) -> bytes:
    """A PUBLISH of QoS 0."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + payload
    head = bytearray(b"\x30")
    size = len(body)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + body
