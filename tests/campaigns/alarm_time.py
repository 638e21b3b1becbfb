# SPDX-License-Identifier: MIT
"""Time for the alarm loop that a test turns: a channel's thread runs ahead on a time of its own."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator

from kahriz_alarms.personal import PersonalChannel
from kahriz_gateway.alarms.people import Done, Job, attempt

T0_MS = 1_790_000_100_000


class Time:
    """`at_s` is the time of the loops; inside of `thread` the clock is that thread's own."""

    def __init__(self, start_ms: int = T0_MS) -> None:
        self.start_ms = start_ms
        self.at_s = 0.0
        self._own: list[float] = []

    def s(self) -> float:
        return self._own[-1] if self._own else self.at_s

    def spend(self, seconds: float) -> None:
        if self._own:
            self._own[-1] += seconds
        else:
            self.at_s += seconds

    @contextlib.contextmanager
    def thread(self, from_s: float) -> Iterator[None]:
        self._own.append(max(from_s, self.at_s))
        try:
            yield
        finally:
            self._own.pop()

    def now_ms(self) -> int:
        return self.start_ms + round(self.s() * 1000)

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        pass


class Turn:
    """A lock between threads of their own times."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._free_s = 0.0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        wait = self._free_s - self._time.s()
        if 0 <= timeout < wait:
            self._time.spend(timeout)
            return False
        self._time.spend(max(0.0, wait))
        return True

    def release(self) -> None:
        self._free_s = self._time.s()


class Hand:
    """One channel's thread: it begins a job when the last is done, its word comes when it ends."""

    def __init__(self, channel: PersonalChannel, done: Done, time: Time) -> None:
        self._channel, self._done, self._time = channel, done, time
        self._free_s = 0.0
        self._ends: list[tuple[float, int, Job, str, str]] = []
        self._since: dict[tuple[int, int], float] = {}
        self._count = 0

    def put(self, job: Job) -> None:
        self._since[job.message.id, job.n] = self._time.at_s
        with self._time.thread(self._free_s):
            state, error = attempt(self._channel, job)
            self._free_s = self._time.s()
        self._count += 1
        heapq.heappush(self._ends, (self._free_s, self._count, job, state, error))

    def overdue(self, deadline_s: float) -> list[tuple[int, int]]:
        while self._ends and self._ends[0][0] <= self._time.at_s:
            _, _, job, state, error = heapq.heappop(self._ends)
            self._since.pop((job.message.id, job.n), None)
            self._done.put((job, state, error))
        return [k for k, at in self._since.items() if self._time.at_s - at > deadline_s]
