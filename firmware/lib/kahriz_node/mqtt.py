# SPDX-License-Identifier: MIT
"""A small MQTT 3.1.1 publisher for a node that wakes, sends and sleeps.

One absolute deadline over all: no read timeout starts again with a byte. The stream never blocks:
poll waits, write takes what fits, read gives what is there, both None for nothing. A TCP socket and
a TLS stream of the chip look the same so.
"""

import errno
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Net

CONNACK = 0x20
PUBLISH = 0x30
PUBACK = 0x40
CHUNK_BYTES = 1440  # one TCP segment
HEAR_BYTES = 256  # most of a receipt; a large piece is hard to find in a heap in pieces
PACKET_MOST_BYTES = 8192  # nothing longer is meant for a node


class MqttError(Exception):
    """The broker broke off or said what cannot be understood."""


class Deadline:
    """An instant on the wrapping tick clock."""

    def __init__(self, net: "Net", limit_ms: int) -> None:
        self._net = net
        self._start = net.ticks_ms()
        self._limit_ms = limit_ms

    def spent(self) -> int:
        """Milliseconds since the beginning."""
        return self._net.ticks_diff(self._net.ticks_ms(), self._start)

    def left(self) -> int:
        """Milliseconds to go; raises when there are none."""
        left = self._limit_ms - self.spent()
        if left <= 0:
            raise OSError(errno.ETIMEDOUT, "deadline")
        return left


def two(number: int) -> bytes:
    """A whole number as two bytes."""
    return bytes((number >> 8, number & 0xFF))


def field(data: bytes) -> bytes:
    """A text with its length before it."""
    return two(len(data)) + data


def packet(kind: int, *parts: bytes) -> bytes:
    """A packet of these parts."""
    head = bytearray((kind,))
    size = 0
    for part in parts:
        size += len(part)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return b"".join((head,) + parts)  # noqa: RUF005 - MicroPython has no * in a tuple


def subscribe(number: int, topic: str, qos: int) -> bytes:
    """SUBSCRIBE to one topic."""
    return packet(0x82, two(number), field(topic.encode()), bytes((qos,)))


def publish(number: int, topic: str, payload: bytes, retain: bool = False) -> bytes:
    """PUBLISH of QoS 1."""
    return packet(0x33 if retain else 0x32, field(topic.encode()), two(number), payload)


DISCONNECT = b"\xe0\x00"


class Wire:
    """Packets over a connected stream."""

    def __init__(self, stream: "Any", deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._heard = b""
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)

    def write(self, data: "bytes | memoryview") -> None:
        """Send all of it, listening meanwhile so that neither side waits for the other."""
        view = memoryview(data)
        at = 0
        self._poll.modify(self._stream, select.POLLIN | select.POLLOUT)
        while at < len(data):
            events = self._wait(self._deadline.left())
            wrote = 0
            if events & select.POLLOUT:
                wrote = self._stream.write(view[at : at + CHUNK_BYTES]) or 0
                at += wrote
            if events & select.POLLIN and (not wrote or len(self._heard) < HEAR_BYTES):
                self._hear()  # no more than must be: it piles up
        self._poll.modify(self._stream, select.POLLIN)

    def read(self, most_ms: int) -> "tuple[int, bytes] | None":
        """The next packet as (first byte, body); None when most_ms have passed without one."""
        until = self._deadline.spent() + most_ms
        while True:
            packet = self._take()
            if packet is not None:
                return packet
            wait = until - self._deadline.spent()
            if wait <= 0:
                return None
            if self._wait(min(wait, self._deadline.left())) & select.POLLIN:
                self._hear()

    def _wait(self, ms: int) -> int:
        events = self._poll.poll(ms)
        if not events:
            return 0
        if not events[0][1] & (select.POLLIN | select.POLLOUT):
            raise MqttError("closed")
        return int(events[0][1])

    def _hear(self) -> None:
        more = self._stream.read(HEAR_BYTES)
        if more is not None:
            if not more:
                raise MqttError("closed")
            self._heard += more

    def _take(self) -> "tuple[int, bytes] | None":
        size = shift = 0
        at = 1
        while True:
            if at >= len(self._heard):
                return None
            byte = self._heard[at]
            size |= (byte & 0x7F) << shift
            shift += 7
            at += 1
            if size > PACKET_MOST_BYTES or shift > 28:
                raise MqttError("packet too long")
            if not byte & 0x80:
                break
        if len(self._heard) < at + size:
            return None
        packet = (self._heard[0], self._heard[at : at + size])
        self._heard = self._heard[at + size :]
        return packet


def message(kind: int, body: bytes) -> "tuple[bytes, bytes, int]":
    """Topic, payload and packet number (0 at QoS 0) of a PUBLISH."""
    size = 2 + (body[0] << 8 | body[1]) if len(body) > 1 else 2
    if len(body) < size:
        raise MqttError("short packet")
    topic = bytes(body[2:size])
    if not kind & 0x06:
        return topic, body[size:], 0
    if len(body) < size + 2:
        raise MqttError("short packet")
    return topic, body[size + 2 :], body[size] << 8 | body[size + 1]


def puback(number: int) -> bytes:
    """PUBACK."""
    return packet(PUBACK, two(number))
