# SPDX-License-Identifier: MIT
"""Whether a message may have lain at the broker before it came to us.

A hello dates rows by the moment of its arrival, so one that waited (the broker's queue, a disk that
refused, a process that stood still) would date them wrong by as long as it waited. We are live
while we are subscribed and have caught up: the broker kept nothing for us, or has been silent once
since we came back. Who was live so short a time ago has let nothing wait.
"""

from __future__ import annotations

from collections.abc import Callable

from kahriz_gateway.mqtt import Arrival, Door

HELLO = "/hello"  # how its topic ends
MOST_S = 60.0  # a hello that may have waited longer dates nothing; the next one does
_NEVER = float("-inf")


class Waiting:
    """`live_s` is the last moment when nothing waited; read by paho's thread, written by ours."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._epoch: int | None = None
        self._caught_up = False
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
        elif now_s - self.live_s > MOST_S:  # we ourselves stood still
            self._caught_up = False
        if self._caught_up:
            self.live_s = now_s

    def silence(self, door: Door) -> None:
        """Nothing has come for a while: the broker has handed over what it kept."""
        if self._epoch is not None and door.standing == self._epoch:
            self._caught_up = True
            self.live_s = self._monotonic_s()

    def arrives(self, arrival: Arrival) -> Arrival:
        """In paho's thread: it notes when we were last live."""
        known_s = _NEVER if arrival.live_s is None else arrival.live_s
        return arrival._replace(live_s=max(known_s, self.live_s))

    def too_long(self, arrival: Arrival) -> bool:
        """Whether it may be old by now."""
        return arrival.live_s is not None and self._monotonic_s() - arrival.live_s > MOST_S
