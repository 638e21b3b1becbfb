# SPDX-License-Identifier: MIT
"""A visit to the broker as the reserved test node, with that node's certificate if there is TLS.

What counts is what arrives: a broker answers PUBACK and SUBACK even to what its access list
denies.
"""

from __future__ import annotations

import fcntl
import os
import queue
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kahriz_gateway.broker.tls import context
from kahriz_gateway.intake.probe import DOCTOR
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_water.site import Plan
from kahriz_wire import topics

CONNECT_S = 5.0
ANSWER_S = 5.0


@contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Two visitors of one name would throw each other out: the second waits for the first."""
    try:
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # no folder yet: nobody else of this gateway is about
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


class VisitError(Exception):
    """The broker did not let the test node in."""


class Visit:
    """`with Visit(plan, "echo/#") as visit:` subscribes to a topic of the test node."""

    def __init__(self, plan: Plan, kind: str, node: str = DOCTOR) -> None:
        self._site = plan.id
        self._arrived: queue.Queue[Arrival] = queue.Queue()
        self.mark = secrets.token_hex(4)
        self._broker = broker = plan.broker
        self.door = Door(
            f"kahriz-doctor-{self.mark}",
            broker.host,
            broker.port,
            [self.topic(kind, node)],
            self._arrived.put,
            tls=context(broker, DOCTOR),
            clean=True,
        )

    def __enter__(self) -> Visit:
        broker = self._broker
        try:
            socket.create_connection((broker.host, broker.port), CONNECT_S).close()
        except OSError as error:
            raise VisitError(f"nobody at {broker.host}:{broker.port}") from error
        self.door.start()
        deadline = time.monotonic() + CONNECT_S
        while not self.door.subscribed.wait(0.02):
            if time.monotonic() < deadline and not self.door.complained:
                continue
            self.door.stop()
            raise VisitError("the broker does not let the test node in")
        return self

    def __exit__(self, *_: object) -> None:
        self.door.stop()

    def topic(self, kind: str, node: str = DOCTOR) -> str:
        return f"{topics.ROOT}/{self._site}/{node}/{kind}"

    def next(self, timeout_s: float = ANSWER_S) -> Arrival | None:
        """The next message, not yet acknowledged; None when none comes in time."""
        try:
            return self._arrived.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            return None

    def echo(self, topic: str, timeout_s: float = ANSWER_S) -> Arrival | None:
        """Wait for a message on a topic, acknowledging what comes before it."""
        deadline = time.monotonic() + timeout_s
        while (arrival := self.next(deadline - time.monotonic())) is not None:
            self.door.ack([arrival])
            if arrival.topic == topic:
                return arrival
        return None
