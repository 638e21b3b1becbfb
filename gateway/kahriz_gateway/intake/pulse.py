# SPDX-License-Identifier: MIT
"""Intake's sign of life: called by the loop that stores, told to systemd and into intake.state."""

from __future__ import annotations

import os
from pathlib import Path

from kahriz_alarms.service.notify import Notifier
from kahriz_gateway import notify_sign
from kahriz_gateway.clock import Clock
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.mqtt import Door


class DeafError(Exception):
    """The thread that listens to the broker has ended: nothing but a new start brings it back."""


class Pulse:
    """READY after SUBACK; a beat a turn; words when they change; DeafError when nobody listens."""

    def __init__(
        self, data: Path, intake: Intake, door: Door, clock: Clock, notifier: Notifier
    ) -> None:
        self._data = data
        self._intake = intake
        self._door = door
        self._clock = clock
        self._notifier = notifier
        self._last: tuple[object, ...] = ()

    def __call__(self) -> None:
        if not self._door.working:
            raise DeafError("the broker's thread has ended")
        connected = self._door.subscribed.is_set()
        trouble, rival = self._intake.trouble, self._intake.rival
        trusted = self._clock.trusted()
        now = (connected, trouble, rival, trusted)
        if now != self._last:
            self._last = now
            self._write("online" if connected else "waiting", trouble, rival, trusted)
            self._notifier.status(_status(connected, trouble, rival, trusted))
        if connected:
            self._notifier.ready("storing readings")
        self._notifier.beat()

    def stopped(self) -> None:
        """The last words."""
        self._notifier.stopping()
        self._write("stopped", self._intake.trouble, None, self._clock.trusted())

    def _write(self, state: str, trouble: str | None, rival: str | None, trusted: bool) -> None:
        words = {
            "state": state,
            "store": self._intake.store,
            "pid": os.getpid(),
            "since": self._clock.now_ms(),
            "clock_trusted": trusted,
            "trouble": trouble,
            "rival": rival,
        }
        notify_sign.write(self._data, "intake", {k: v for k, v in words.items() if v is not None})


def _status(connected: bool, trouble: str | None, rival: str | None, trusted: bool) -> str:
    if trouble is not None:
        return f"cannot store ({trouble}): no receipts, nodes keep all"
    if rival is not None:
        return rival
    if not connected:
        return "waiting for the broker"
    return "storing readings" if trusted else "storing readings; the clock is not set yet"
