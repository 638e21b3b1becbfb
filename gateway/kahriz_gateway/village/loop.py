# SPDX-License-Identifier: MIT
"""Keeps the village's writing loop going when the disk does not take what it writes.

A full disk, or a store with pages that are none, stops values and alarms, not the page: the loop
says so (log, systemd, village.state), waits, reads its state again from the store and goes on where
the store stands.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kahriz_alarms.service.notify import Notifier
from kahriz_gateway import notify_sign
from kahriz_gateway.clock import Clock
from kahriz_gateway.intake.store import is_damage, is_trouble

PAUSE_S = 0.25
RETRY_S = (0.5, 15.0)  # first and longest pause between two tries on a full disk

log = logging.getLogger(__name__)


class Worker(Protocol):
    """What is kept going: `Village`."""

    def step(self) -> bool: ...
    def close(self) -> None: ...


class Loop:
    """`make` reads everything from the store: memory that a rollback contradicts is dropped."""

    def __init__(
        self, make: Callable[[], Worker], data: Path, clock: Clock, notifier: Notifier
    ) -> None:
        self._make = make
        self._data = data
        self._clock = clock
        self._notifier = notifier
        self._trouble: str | None = None
        self._worker: Worker | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; the loop itself feeds the watchdog."""
        pause_s = RETRY_S[0]
        try:
            while not stop.is_set():
                self._notifier.beat()
                try:
                    took = self._step()
                except sqlite3.DatabaseError as error:
                    if not (is_trouble(error) or is_damage(error)):
                        raise
                    self._enter(str(error))
                    stop.wait(pause_s)
                    pause_s = min(2 * pause_s, RETRY_S[1])
                    continue
                pause_s = RETRY_S[0]
                if not took:
                    stop.wait(PAUSE_S)
        finally:
            self._notifier.stopping()
            self._write("stopped")
            self._drop()

    def _step(self) -> bool:
        if self._worker is None:
            self._worker = self._make()
            began = self._trouble is None
        else:
            began = False
        took = self._worker.step()
        if self._trouble is not None:
            log.warning("storing again (it was: %s)", self._trouble)
            self._trouble = None
            self._notifier.status("watching the water")
            self._write("working")
        elif began:
            self._write("working")
            self._notifier.ready("watching the water")
        return took

    def _enter(self, text: str) -> None:
        self._drop()
        if self._trouble is None:
            self._trouble = text
            log.error("cannot store (%s): no new values or alarms; the page goes on", text)
            self._notifier.status(f"cannot store ({text}): no new values or alarms")
            self._write("working")

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _write(self, state: str) -> None:
        words = {"state": state, "pid": os.getpid(), "since": self._clock.now_ms()}
        if self._trouble is not None:
            words["trouble"] = self._trouble
        notify_sign.write(self._data, "village", words)
