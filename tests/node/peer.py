# SPDX-License-Identifier: MIT
"""A broker and gateway in one TCP peer, which obeys the contract or breaks it on request."""

import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from kahriz_wire import messages, ranges

STORE = "c41d0a0b"
NOW_MS = 1764003600000


@dataclass
class Faults:
    """What the peer does wrong; numbers are how many of a kind it loses."""

    silent: bool = False  # accepts and says nothing
    half_open: bool = False  # accepts, and not even a handshake begins
    late_s: float = 0.0  # that it waits before the handshake
    connack: int | None = 0  # return code; None: lost
    lose_receipts: int = 0  # as if the subscription did not stand yet
    lose_pubacks: bool = False
    wrong_first: str = ""  # "s" or "journal": a receipt for somebody else comes before ours
    before_receipt: bytes = b""  # bytes sent instead of the first receipt
    close_at: str = ""  # "connect", "hello", "up"
    reset_at: str = ""
    dribble: bool = False  # one byte a write
    deaf: bool = False  # reads nothing after CONNECT
    never_stores: bool = False  # receipts the hello, never a row
    refuses: frozenset[int] = frozenset()  # arrays with these numbers are never receipted
    keep: int = 10**9  # rows the gateway keeps; those above are dropped in silence


@dataclass
class Gateway:
    """The gateway's memory over several sessions."""

    store: str = STORE
    stored: dict[int, Any] = field(default_factory=dict)
    closed: list[tuple[int, int, str]] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    max_rows: int | None = None
    now: int | None = NOW_MS
    birth: bool = False
    cmd: list[dict[str, Any]] = field(default_factory=list)

    def receipt(self, hello: messages.Hello) -> messages.Receipt:
        """The answer to a hello or a commit."""
        known = ranges.of(list(self.stored)) + [[a, b] for a, b, _ in self.closed]
        end = max([hello.next - 1, *self.stored])
        lacking = ranges.minus([[hello.first, end]], known)
        receipt = messages.Receipt(hello.s, hello.journal, self.store, end, lacking[:16])
        if len(lacking) > 16:
            receipt.upto = lacking[16][0] - 1
        receipt.max_rows, receipt.now = self.max_rows, self.now
        receipt.birth, receipt.cmd = self.birth, self.cmd
        return receipt


class Peer:
    """Serves one session after the other; `said` is what the node published, in order."""

    def __init__(
        self,
        gateway: Gateway,
        faults: Faults | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.gateway = gateway
        self.faults = faults or Faults()
        self.context = context
        self.complaints: list[str] = []  # of TLS
        self.said: list[tuple[str, bytes, bool]] = []
        self.clean_ends = 0
        self._idle = threading.Event()
        self.released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=60)

    def settle(self) -> None:
        """Wait until the conversation is over on this side too."""
        assert self._idle.wait(timeout=120)

    def kinds(self) -> list[str]:
        """The kinds of the messages, `up` without its journal."""
        return [topic.split("/")[4] for topic, _, _ in self.said]

    def bodies(self, kind: str) -> list[bytes]:
        return [body for topic, body, _ in self.said if topic.split("/")[4] == kind]

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as a broker of ours
            with line:
                try:
                    _Conversation(self, self._dressed(line)).run()
                except ssl.SSLError as error:
                    self.complaints.append(str(error))
                except (ConnectionError, EOFError):
                    pass
                finally:
                    self._idle.set()

    def _dressed(self, line: socket.socket) -> socket.socket:
        """The line as it is, or with TLS around it."""
        if self.faults.half_open:
            self.released.wait(60)
            raise EOFError
        if self.context is None:
            return line
        time.sleep(self.faults.late_s)
        line.settimeout(60)
        return self.context.wrap_socket(line, server_side=True)


class _Conversation:
    def __init__(self, peer: Peer, line: socket.socket) -> None:
        self.peer = peer
        self.faults = peer.faults
        self.line = line
        self.hello: messages.Hello | None = None
        self.receipts_lost = 0
        self.told_wrong = False

    def run(self) -> None:
        while True:
            kind, body = self._packet()
            if kind & 0xF0 == 0x10:
                self._break_at("connect")
                if self.faults.silent or self.faults.connack is None:
                    continue
                self._send(bytes((0x20, 2, 0, self.faults.connack)))
                if self.faults.deaf:
                    self.peer.released.wait(60)
                    raise EOFError
            elif kind == 0x82 and not self.faults.silent:
                self._send(bytes((0x90, 3, body[0], body[1], 0)))
            elif kind & 0xF0 == 0x30:
                self._published(kind, body)
            elif kind == 0xE0:
                self.peer.clean_ends += 1
                return

    def _published(self, kind: int, body: bytes) -> None:
        size = struct.unpack(">H", body[:2])[0]
        topic = body[2 : 2 + size].decode()
        number, payload = body[2 + size : 4 + size], body[4 + size :]
        self.peer.said.append((topic, payload, bool(kind & 1)))
        if self.faults.silent:
            return
        if not self.faults.lose_pubacks:
            self._send(b"\x40\x02" + number)
        what = topic.split("/")[4]
        self._break_at(what)
        if what == "hello":
            self.hello = messages.decode_hello(payload)
            self._receipt(topic)
        elif what == "up" and self.hello is not None:
            good, bad = messages.decode_rows(payload)
            assert not bad, [row.why for row in bad]
            gateway = self.peer.gateway
            gateway.arrivals += [row.n for row in good]
            if self.faults.never_stores or self.faults.refuses & {row.n for row in good}:
                return
            gateway.stored.update({row.n: row for row in good if row.n <= self.faults.keep})
            self._receipt(topic)
        elif what == "ack":
            self.peer.gateway.closed += messages.decode_ack(payload).gone

    def _receipt(self, topic: str) -> None:
        assert self.hello is not None
        if self.faults.before_receipt and not self.told_wrong:
            self.told_wrong = True
            self._send(self.faults.before_receipt)
            return
        if self.receipts_lost < self.faults.lose_receipts:
            self.receipts_lost += 1
            return
        receipt = self.peer.gateway.receipt(self.hello)
        if self.faults.wrong_first and not self.told_wrong:
            self.told_wrong = True
            wrong = self.peer.gateway.receipt(self.hello)
            setattr(wrong, self.faults.wrong_first, "00000000")
            wrong.upto, wrong.missing = self.hello.next + 500, []
            self._publish(topic, wrong)
        self._publish(topic, receipt)

    def _publish(self, topic: str, receipt: messages.Receipt) -> None:
        name = "/".join([*topic.split("/")[:4], "receipt"]).encode()
        body = struct.pack(">H", len(name)) + name + messages.encode_receipt(receipt)
        size = len(body)
        head = bytes((0x30, size & 0x7F | 0x80, size >> 7)) if size > 127 else bytes((0x30, size))
        self._send(head + body)

    def _break_at(self, what: str) -> None:
        if self.faults.reset_at == what:
            linger = struct.pack("ii", 1, 0)
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.line.close()
            raise EOFError
        if self.faults.close_at == what:
            raise EOFError

    def _send(self, data: bytes) -> None:
        if not self.faults.dribble:
            self.line.sendall(data)
            return
        for byte in data:
            self.line.sendall(bytes((byte,)))
            time.sleep(0.0005)

    def _packet(self) -> tuple[int, bytes]:
        kind = self._exactly(1)[0]
        size = shift = 0
        while True:
            byte = self._exactly(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return kind, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.line.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data
