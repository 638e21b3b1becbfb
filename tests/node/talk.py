# SPDX-License-Identifier: MIT
"""Holds sessions as a node does: talk.py LIB FOLDER, then one JSON order a line on the input.

An order has port, deadline_ms, quiet_ms, again_ms, batch, rows (how many to write first), unknown
(time unknown), site, node, drop (segments to lose first), small (segments of a few records),
health, birth; one line of the outcome comes back. The socket takes and gives few bytes at a time,
as the chip's may.
"""

import json
import socket
import sys
import time

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

from journals import BEGIN_S, opened, reading, small_segments
from places import draw, folder

from kahriz_node import commands, heed, records, room, session, uplink

PIECE_BYTES = 700
PATIENT_MS = 60_000  # no answer is late, however busy this machine is


class Piecewise:
    """A socket that never takes more than a piece; it has what the chip's has and no more."""

    def __init__(self):
        self._sock = socket.socket()
        self.fileno = self._sock.fileno

    def setblocking(self, flag):
        assert not flag, "on the chip this takes every timeout away"
        self._sock.setblocking(flag)

    def connect(self, address):
        self._sock.connect(address)

    def write(self, data):
        try:
            return self._sock.send(bytes(data[:PIECE_BYTES]))
        except BlockingIOError:
            return None

    def read(self, size):
        try:
            return self._sock.recv(min(size, PIECE_BYTES))
        except BlockingIOError:
            return None

    def close(self):
        self._sock.close()


class Net:
    """The network of this machine; MicroPython's poll takes real sockets only."""

    def socket(self):
        return socket.socket() if sys.implementation.name == "micropython" else Piecewise()

    def resolve(self, host, port):
        return socket.getaddrinfo(host, port)[0][-1]

    def ticks_ms(self):
        if sys.implementation.name == "micropython":
            return time.ticks_ms()
        return int(time.monotonic() * 1000)

    def ticks_diff(self, later, earlier):
        return later - earlier

    def random_hex8(self):
        return draw()


class Plan:
    site = "banovshalar-gozlu"
    node = "outlet"
    host = "127.0.0.1"
    user = None
    password = None
    tls = None


def orders():
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        yield json.loads(line)


def errands(talk):
    """Commands only; `readings` of the order are those of this wake."""
    readings = order.get("readings", {"weir": {"distance_m": 6510}})
    commands.obey(talk, root, readings, book.next - 1)


book = None
for order in orders():
    if book is None:
        if order.get("small"):
            small_segments()
        root = folder()
        book = opened(root, boot=3)
    for _ in range(order.get("rows", 0)):
        kind = records.UNKNOWN if order.get("unknown") else records.SYNCED
        stamp = records.Stamp(BEGIN_S + 300 * book.next, kind, 300 * book.next, 3)
        book.append(stamp, 1, reading(book.next))
    for _ in range(order.get("drop", 0)):
        room.evict(book)
    Plan.site = order.get("site", Plan.site)
    Plan.node = order.get("node", Plan.node)
    Plan.port = order["port"]
    Plan.host = order.get("host", "127.0.0.1")
    Plan.tls = order.get("tls")
    Plan.deadline_ms = order.get("deadline_ms", PATIENT_MS)
    Plan.batch = order.get("batch", 12)
    session.QUIET_MS = order.get("quiet_ms", PATIENT_MS)
    session.AGAIN_MS = order.get("again_ms", PATIENT_MS)
    birth = (lambda: b'{"v":1}') if order.get("birth") else None
    done = uplink.run(Net(), book, Plan, order.get("health", {}), birth, errands)
    if done.answered:
        book.stuck = heed.still_sent(book, done)
    print(
        json.dumps(
            {
                "answered": done.answered,
                "error": done.error,
                "rows": done.rows,
                "now_ms": done.now_ms,
                "round_ms": done.round_ms,
                "open": book.open_ranges(),
                "next": book.next,
                "journal": book.id,
                "stuck": book.stuck,
            }
        )
    )
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()
