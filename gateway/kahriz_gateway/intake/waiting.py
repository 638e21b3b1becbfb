# SPDX-License-Identifier: MIT
"""Whether a message may have lain at the broker before it came to us.

A hello dates rows by the moment of its arrival, so one that waited (the broker's queue, a disk that
refused, a process that stood still) would date them wrong by as long as it waited. We are live
while we are subscribed and have caught up: the broker kept nothing for us, or has been silent once
since we came back, or our sounding came back at once. Who was live so short a time ago has let
nothing wait.

A sounding is a hello of our own, sent while we have not caught up. The broker hands out what fits
one filter in the order in which it came (mosquitto has one queue a client), so what comes behind
the sounding came to the broker after it was sent. It counts within its own connection alone: on the
next one the broker repeats what stood in front of it. What the broker marks as handed out before
has waited, nobody knows how long (nats-server repeats behind what is new, but it marks it).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from kahriz_gateway.mqtt import Arrival, Door
from kahriz_wire import topics

HELLO = "/hello"  # how its topic ends
MOST_S = 60.0  # a hello that may have waited longer dates nothing; the next one does
SOUNDING_S = 2.0  # between two soundings
AT_ONCE_S = 5.0  # a sounding that was under way no longer than this has met no queue
_NEVER = float("-inf")


class Waiting:
    """`live_s` is the last moment when nothing waited; read by paho's thread, written by ours."""

    def __init__(self, site: str, monotonic_s: Callable[[], float]) -> None:
        self._topic = topics.of(site, topics.GATEWAY, "hello")
        self._run = os.urandom(8).hex()
        self._monotonic_s = monotonic_s
        self._epoch: int | None = None
        self._caught_up = False
        self._asked_s = _NEVER
        self._sounded = (0, _NEVER)  # connection and moment of the newest sounding that came back
        self.live_s = _NEVER

    def look(self, door: Door) -> None:
        """At the beginning of each turn."""
        epoch = door.standing
        if epoch is None:
            self._epoch = None
            return
        now_s = self._monotonic_s()
        if epoch != self._epoch:
            self._epoch, self._caught_up = epoch, door.new_since_s is not None
            self._asked_s = _NEVER
        elif now_s - self.live_s > MOST_S:  # we ourselves stood still
            self._caught_up = False
        if now_s - self._sounded_s(epoch) <= AT_ONCE_S:
            self._caught_up = True
        if self._caught_up:
            self.live_s = now_s
        elif now_s - self._asked_s >= SOUNDING_S:
            self._asked_s = now_s
            body = {"run": self._run, "connection": epoch, "sent_s": now_s}
            door.publish(self._topic, json.dumps(body).encode(), qos=1)

    def silence(self, door: Door) -> None:
        """Nothing has come for a while: the broker has handed over what it kept."""
        if self._epoch is not None and door.standing == self._epoch:
            self._caught_up = True
            self.live_s = self._monotonic_s()

    def arrives(self, arrival: Arrival) -> Arrival:
        """In paho's thread: it notes when we were last live."""
        if arrival.topic == self._topic:
            self._hear(arrival)
        if arrival.again:
            return arrival._replace(live_s=_NEVER)
        known_s = _NEVER if arrival.live_s is None else arrival.live_s
        live_s = max(known_s, self.live_s, self._sounded_s(arrival.epoch))
        return arrival._replace(live_s=live_s)

    def too_long(self, arrival: Arrival) -> bool:
        """Whether it may be old by now."""
        return arrival.live_s is not None and self._monotonic_s() - arrival.live_s > MOST_S

    def _hear(self, arrival: Arrival) -> None:
        """A sounding comes back; one of another start or another connection says nothing."""
        try:
            body = json.loads(arrival.payload)
            ours = body["run"] == self._run and body["connection"] == arrival.epoch
            sent_s = float(body["sent_s"])
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return
        if ours:
            self._sounded = arrival.epoch, sent_s

    def _sounded_s(self, epoch: int) -> float:
        """When the newest sounding of this connection that came back was sent."""
        of_epoch, sent_s = self._sounded
        return sent_s if of_epoch == epoch else _NEVER
