# SPDX-License-Identifier: MIT
"""paho's client with a wider mouth: reads 64 kB at a time, hands whole PUBLISH packets over as they

lie in that piece, writes all PUBACKs of a group at once. paho itself takes four reads and a select
for each packet, and three system calls for each PUBACK. Everything else is paho's own doing:
connecting, keep-alive, subscriptions, what is sent, and every packet that is cut off at the end of
a piece.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, time_func
from paho.mqtt.enums import MessageType, MQTTErrorCode

PIECE_BYTES = 65_536
_PUBLISH_01 = (0x30, 0x32)  # PUBLISH with QoS 0 or 1, its DUP and RETAIN bits masked away
_MASK = 0xF6
_RETAIN, _DUP = 0x01, 0x08

# topic, payload, retained, message id (0 at QoS 0), QoS, delivered before
OnPublish = Callable[[bytes, bytes, bool, int, int, bool], None]


class BufferedSocket:
    """A socket that is read in large pieces; `take_publish` hands out whole packets from them."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self._held = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """At most `size` bytes, from what is held while there is any."""
        if self._at >= len(self._held):
            self._held = b""  # what fails from here on must leave nothing behind
            self._at = 0
            self._held = self.sock.recv(PIECE_BYTES)
        found = self._held[self._at : self._at + size]
        self._at += len(found)
        return found

    def fill(self) -> None:
        """Read a piece when nothing is held; what fails here fails for paho's own read as well."""
        if self._at >= len(self._held):
            self._held, self._at = b"", 0
            self._held = self.sock.recv(PIECE_BYTES)

    def take_publish(self) -> tuple[bytes, bytes, bool, int, int, bool] | None:
        """The next packet when it is a PUBLISH and whole; None leaves it to paho."""
        held, start = self._held, self._at
        size = len(held)
        if size - start < 4 or held[start] & _MASK not in _PUBLISH_01:
            return None
        head = held[start]
        length, shift, at = 0, 0, start + 1
        while True:
            if at >= size or shift > 21:
                return None
            low = held[at]
            at += 1
            length |= (low & 0x7F) << shift
            if low < 0x80:
                break
            shift += 7
        end = at + length
        if end > size or length < 4:
            return None
        topic_end = at + 2 + (held[at] << 8 | held[at + 1])
        qos = head >> 1 & 1
        body = topic_end + 2 * qos
        if body > end:
            return None  # malformed: paho says so
        mid = held[topic_end] << 8 | held[topic_end + 1] if qos else 0
        self._at = end
        topic, payload = held[at + 2 : topic_end], held[body:end]
        return topic, payload, bool(head & _RETAIN), mid, qos, bool(head & _DUP)

    def pending(self) -> int:
        """Bytes that a select on the socket does not tell of."""
        inner = getattr(self.sock, "pending", None)
        return len(self._held) - self._at + (0 if inner is None else int(inner()))

    def send(self, data: bytes) -> int:
        return int(self.sock.send(data))

    def fileno(self) -> int:
        return int(self.sock.fileno())

    def setblocking(self, flag: bool) -> None:
        self.sock.setblocking(flag)

    def close(self) -> None:
        self.sock.close()


class WideClient(Client):
    """paho's client; `on_publish_in` gets each PUBLISH of QoS 0 and 1 that comes whole."""

    on_publish_in: OnPublish | None = None

    def _create_socket(self) -> Any:
        sock = super()._create_socket()
        if isinstance(sock, socket.socket):  # a receipt must not wait 40 ms for a delayed TCP ACK
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return BufferedSocket(sock)

    def hang_up(self) -> None:
        """End the connection as if the network had; paho connects again."""
        sock = self._sock
        if isinstance(sock, BufferedSocket):
            with contextlib.suppress(OSError):  # the other side was quicker
                sock.sock.shutdown(socket.SHUT_RDWR)

    def puback(self, mids: Sequence[int]) -> None:
        """Acknowledge all of these in one packet of bytes."""
        if mids:
            packet = b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])
            self._packet_queue(MessageType.PUBACK, packet, mids[-1], 1)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """All PUBLISH packets that lie whole in the piece, then one packet by paho's own hand."""
        sock, handle = self._sock, self.on_publish_in
        begun = self._in_packet["command"] != 0
        if begun or handle is None or not isinstance(sock, BufferedSocket):
            return super().loop_read(max_packets)
        try:
            sock.fill()
        except OSError:  # would block, TLS wants more, broken: paho's own read finds the same
            return super().loop_read(max_packets)
        took = False
        while (packet := sock.take_publish()) is not None:
            handle(*packet)
            took = True
        if took:
            with self._msgtime_mutex:
                self._last_bytes_received = time_func()
        if took and not sock.pending():
            return MQTT_ERR_SUCCESS
        return super().loop_read(max_packets)
