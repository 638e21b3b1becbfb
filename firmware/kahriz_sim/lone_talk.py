# SPDX-License-Identifier: MIT
"""What an MQTT 3.1.1 broker of one node says in a session; its faults on request. No sockets here.

`said(topic, payload) -> None` hears each PUBLISH; `answers() -> [(topic, payload), …]` is asked
when all that has arrived is heard, as a gateway answers after its commit. A topic that somebody
`kept` is given to whoever subscribes to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

CONNACK = b"\x20\x02\x00\x00"
NOTHING: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a session."""

    silent: bool = False  # accepts and says nothing at all
    lose_pubacks: bool = False
    lose_answers: int = 0  # so many of the answers never arrive
    reset_after: int | None = None  # publishes heard before the line breaks
    unheard_after: int | None = None  # publishes after this one reach the broker, not the gateway


NO_FAULT = Fault()


class Talk:
    """One session, from CONNECT to its end."""

    def __init__(
        self,
        said: Callable[[str, bytes], None],
        answers: Callable[[], list[tuple[str, bytes]]],
        fault: Fault = NO_FAULT,
        kept: Mapping[str, bytes] = NOTHING,
    ) -> None:
        self._said = said
        self._answers = answers
        self._fault = fault
        self._kept = kept
        self._heard = b""
        self._publishes = self._lost = 0

    def hear(self, data: bytes) -> tuple[bytes, bool]:
        """What is said to that, and whether the line is closed then."""
        fault = self._fault
        self._heard += data
        if fault.silent:
            return b"", False
        reply = b""
        while True:
            packet, self._heard = take(self._heard)
            if packet is None:
                break
            kind, body = packet
            if kind & 0xF0 == 0x10:
                reply += CONNACK
            elif kind == 0x82:
                reply += b"\x90\x03" + body[:2] + b"\x00"
                topic = body[4 : 4 + int.from_bytes(body[2:4], "big")].decode()
                if topic in self._kept:
                    reply += publish(topic, self._kept[topic])
            elif kind & 0xF0 == 0x30:
                self._publishes += 1
                if fault.reset_after is not None and self._publishes > fault.reset_after:
                    return b"", True
                size = int.from_bytes(body[:2], "big")
                at = 2 + size + (2 if kind & 0x06 else 0)
                if fault.unheard_after is None or self._publishes <= fault.unheard_after:
                    self._said(body[2 : 2 + size].decode(), body[at:])
                if kind & 0x06 and not fault.lose_pubacks:
                    reply += b"\x40\x02" + body[2 + size : at]
            elif kind == 0xE0:
                return reply, True
        for topic, payload in self._answers():
            if self._lost < fault.lose_answers:
                self._lost += 1
            else:
                reply += publish(topic, payload)
        return reply, False


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
