# SPDX-License-Identifier: MIT
"""A plain MQTT 3.1.1 connection for measuring: as cheap as Python can, so that it is no limit."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

WINDOW = 500  # messages on their way without a PUBACK
PATIENCE_S = 60.0


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def _packet(kind: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([kind])
    while True:
        length, low = divmod(length, 128)
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


@dataclass
class Message:
    topic: str
    payload: bytes


@dataclass
class Link:
    """One connection; PUBACKs are counted, received messages handed to `on_message`."""

    port: int
    name: str
    clean: bool = True
    on_message: Callable[[Message], None] = lambda message: None
    flying: set[int] = field(default_factory=set)
    acked: int = 0

    def __post_init__(self) -> None:
        self._mid = 0
        self._inbox = bytearray()
        self._sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._granted = False
        flags = b"\x02" if self.clean else b"\x00"
        hello = _text("MQTT") + b"\x04" + flags + b"\x00\x00" + _text(self.name)
        self._sock.sendall(_packet(0x10, hello))
        self._until(lambda: self._granted)

    def subscribe(self, *filters: str) -> None:
        self._granted = False
        body = b"\x00\x01" + b"".join(_text(each) + b"\x01" for each in filters)
        self._sock.sendall(_packet(0x82, body))
        self._until(lambda: self._granted)

    def publish(self, messages: Iterable[tuple[str, bytes]], window: int = WINDOW) -> None:
        """Send with QoS 1, never more than `window` unanswered; returns when the last is sent."""
        batch = bytearray()
        for topic, payload in messages:
            self._mid = self._mid % 65535 + 1
            batch += _packet(0x32, _text(topic) + self._mid.to_bytes(2, "big") + payload)
            self.flying.add(self._mid)
            if len(batch) > 32_768 or len(self.flying) >= window:
                self._sock.sendall(batch)
                batch.clear()
                if len(self.flying) >= window:
                    self._until(lambda: len(self.flying) < max(1, window // 2))
        if batch:
            self._sock.sendall(batch)

    def settle(self) -> None:
        """Wait for the last PUBACK."""
        self._until(lambda: not self.flying)

    def listen(self, seconds: float) -> None:
        """Take in what comes for so long, at least what is there."""
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._sock], [], [], left)[0]:
                return
            self._read()

    def listen_once(self, patience_s: float = 1.0) -> None:
        """Wait for the next packets, no longer than needed."""
        if select.select([self._sock], [], [], patience_s)[0]:
            self._read()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.sendall(b"\xe0\x00")
        self._sock.close()

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            if not select.select([self._sock], [], [], 1.0)[0] and time.monotonic() > end:
                raise TimeoutError("the broker does not answer")
            self._read()

    def _read(self) -> None:
        if not select.select([self._sock], [], [], 0)[0]:
            return
        piece = self._sock.recv(262_144)
        if not piece:
            raise ConnectionResetError("the broker hung up")
        self._inbox += piece
        at = 0
        while (end := self._one(at)) is not None:
            at = end
        del self._inbox[:at]

    def _one(self, at: int) -> int | None:
        """Handle the packet at `at`; where the next one begins, None when it is not whole."""
        box, size, shift, start = self._inbox, 0, 0, at + 1
        while True:
            if start >= len(box):
                return None
            low = box[start]
            size |= (low & 0x7F) << shift
            shift, start = shift + 7, start + 1
            if not low & 0x80:
                break
        if start + size > len(box):
            return None
        kind = box[at] & 0xF0
        if kind == 0x40:
            self.flying.discard(int.from_bytes(box[start : start + 2], "big"))
            self.acked += 1
        elif kind in (0x20, 0x90):
            self._granted = True
        elif kind == 0x30:
            self._received(box[at], bytes(box[start : start + size]))
        return start + size

    def _received(self, head: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        if head & 0x06:
            self._sock.sendall(b"\x40\x02" + rest[:2])
            rest = rest[2:]
        self.on_message(Message(topic, rest))
