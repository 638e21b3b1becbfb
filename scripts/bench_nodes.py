# SPDX-License-Identifier: MIT
"""Publishers that behave as nodes: hello, rows, and nothing forgotten before its receipt.

Each pass sends what is new at the wanted rate; once a second every node says hello again and
sends what its receipt calls missing. A lost connection is made again. All nodes share one
connection, which the open broker of the bench allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kahriz_wire.messages import Hello, decode_receipt, encode_hello
from scripts.bench_mqtt import Link, Message
from scripts.bench_site import ROWS, SITE, rows_text

JOURNAL = "9f3a01c2"
AGAIN_S = 1.0


@dataclass
class Node:
    """What a node knows: its next number, and what it may forget."""

    name: str
    next: int = 1
    upto: int = 0
    missing: list[list[int]] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        return self.upto >= self.next - 1 and not self.missing


class Nodes:
    """All nodes of a site on one connection that may break."""

    def __init__(self, port: int, names: list[str]) -> None:
        self._port = port
        self.nodes = {name: Node(name) for name in names}
        self.sent = 0
        self._session = 0
        self._link: Link | None = None
        self._said_s = 0.0

    def send(self, messages: int, per_s: float, at: dict[int, Callable[[], None]]) -> None:
        """Send so many new messages at that rate; `at` are deeds done when so many are out."""
        names, begin, deeds = list(self.nodes), time.monotonic(), dict(at)
        out = 0
        while out < messages:
            due = min(messages, int((time.monotonic() - begin) * per_s) + 1)
            new = []
            while out < due:
                node = self.nodes[names[out % len(names)]]
                new.append((_up(node.name), rows_text(node.next)))
                node.next += ROWS
                out += 1
                if out in deeds:
                    deeds.pop(out)()
            self._publish(new)
            self._talk()
            self._listen(0.005)
        self.sent += messages

    def settle(self, patience_s: float = 300.0) -> float:
        """Go on with hellos and repeats until every node may forget everything; seconds."""
        begin = time.monotonic()
        while not all(node.settled for node in self.nodes.values()):
            if time.monotonic() - begin > patience_s:
                left = sum(not node.settled for node in self.nodes.values())
                raise TimeoutError(f"{left} nodes still wait for their receipt")
            self._talk()
            self._listen(0.02)
        return time.monotonic() - begin

    def close(self) -> None:
        if self._link is not None:
            self._link.close()

    def _talk(self) -> None:
        """Once a second: hello, and again what was asked for."""
        if time.monotonic() - self._said_s < AGAIN_S:
            return
        self._said_s = time.monotonic()
        self._session += 1
        again = []
        for node in self.nodes.values():
            if node.settled:
                continue
            hello = Hello(f"{self._session:08x}", JOURNAL, 1, node.next)
            again.append((f"kahriz/v1/{SITE}/{node.name}/hello", encode_hello(hello)))
            wanted = [*node.missing, [node.upto + 1, node.next - 1]][:3]
            firsts = {(n - 1) // ROWS for a, b in wanted for n in range(a, min(b, a + 600) + 1)}
            again += [(_up(node.name), rows_text(first * ROWS + 1)) for first in sorted(firsts)]
        self._publish(again)

    def _publish(self, messages: list[tuple[str, bytes]]) -> None:
        try:
            self._connected().publish(messages, window=2000)
        except OSError:
            self._link = None  # what was on its way counts as not sent: no receipt, so again

    def _listen(self, seconds: float) -> None:
        try:
            self._connected().listen(seconds)
        except OSError:
            self._link = None

    def _connected(self) -> Link:
        while self._link is None:
            try:
                link = Link(self._port, "bench-nodes", on_message=self._heard)
                link.subscribe(f"kahriz/v1/{SITE}/+/receipt")
                self._link = link
                self._said_s = 0.0
            except OSError:
                time.sleep(0.1)
        return self._link

    def _heard(self, message: Message) -> None:
        receipt = decode_receipt(message.payload)
        node = self.nodes.get(message.topic.split("/")[3])  # the gateway's own look has one too
        if node and receipt.journal == JOURNAL and receipt.upto >= node.upto:
            node.upto, node.missing = receipt.upto, receipt.missing


def _up(name: str) -> str:
    return f"kahriz/v1/{SITE}/{name}/up/{JOURNAL}"
