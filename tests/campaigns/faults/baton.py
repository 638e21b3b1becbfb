# SPDX-License-Identifier: MIT
"""Threads of the product on virtual time: each runs until it waits, and waits until it is resumed.

The product's own loops (`run(stop)`) go unchanged; only the `stop` that they wait on is ours. One
thread has the word at a time, so that a run depends on its schedule alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..alarm_time import Time


class KilledError(BaseException):
    """kill -9: nothing of the process goes on."""


class Stop(threading.Event):
    """What a loop waits on."""

    def __init__(self, baton: Baton) -> None:
        super().__init__()
        self._baton = baton

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set() and (timeout is None or timeout > 0):
            self._baton.pause(timeout)
        return self.is_set()


class Baton:
    """One thread; `due_s` is when it would go on, None when it ended."""

    def __init__(self, name: str, target: Callable[[threading.Event], None], time: Time) -> None:
        self.name = name
        self.stop = Stop(self)
        self.due_s: float | None = 0.0
        self.dead = False
        self.failure: BaseException | None = None
        self._target = target
        self._time = time
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Let it run until it waits or ends."""
        if self.due_s is None:
            return
        self._mine.release()
        self._theirs.acquire()

    def kill(self) -> None:
        """It comes no further than where it stands."""
        self.dead = True
        while self.due_s is not None:
            self.resume()

    def pause(self, seconds: float | None) -> None:
        """Called by the thread itself: give the word back."""
        if self.dead:
            raise KilledError
        self.due_s = float("inf") if seconds is None else self._time.at_s + seconds
        self._theirs.release()
        self._mine.acquire()
        if self.dead:
            raise KilledError

    def _run(self) -> None:
        self._mine.acquire()
        try:
            if not self.dead:
                self._target(self.stop)
        except KilledError:
            self.dead = True
        except BaseException as failure:  # noqa: BLE001 - handed to the world, which judges it
            self.failure = failure
        self.due_s = None
        self._theirs.release()
