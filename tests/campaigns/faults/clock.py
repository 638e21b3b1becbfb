# SPDX-License-Identifier: MIT
"""The gateway's clock on virtual time: the product's own judgement over a time that goes wrong."""

from __future__ import annotations

from pathlib import Path

from kahriz_gateway.clock import EARLIEST_MS, SystemClock

from ..alarm_time import Time

WRONG_MS = {"clock_1970": 60_000, "clock_2036": 2_085_000_000_000,
            "clock_2036_believed": 2_085_000_000_000}  # fmt: skip


class Machine:
    """The board: its time, and whether the network has told it."""

    def __init__(self, time: Time, root: Path) -> None:
        self.time = time
        self.root = root
        self.off_ms = 0
        (root / "sys/class/rtc/rtc0").mkdir(parents=True)
        self._mark = root / "run/systemd/timesync/synchronized"
        self._mark.parent.mkdir(parents=True)

    def go_wrong(self, kind: str) -> None:
        """From now on it is another year; believed when the network itself said so."""
        self.off_ms = WRONG_MS[kind] - self.time.now_ms()
        if kind == "clock_2036_believed":
            self._mark.touch()
        else:  # it came up without a network
            self._mark.unlink(missing_ok=True)

    def put_right(self) -> None:
        """The network tells the time."""
        self.off_ms = 0
        self._mark.touch()


class MachineClock(SystemClock):
    """One process's look at it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.root, EARLIEST_MS)
        self._machine = machine

    def now_ms(self) -> int:
        return self._machine.time.now_ms() + self._machine.off_ms
