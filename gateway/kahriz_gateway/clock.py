# SPDX-License-Identifier: MIT
"""The gateway's clock: the system's or a simulated one, and whether it can be trusted."""

from __future__ import annotations

import ctypes
import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

# No reading is older than the first line of this program; a clock before it has never been set.
EARLIEST_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
AHEAD_MS = 86_400_000  # a reading may be so far ahead of a trusted clock, not more

_YEAR_MS = 365 * 86_400_000
AFTER_ROW_MS = 3 * _YEAR_MS  # a clock chip that is so far beyond the last row says nonsense ...
AFTER_BIRTH_MS = 10 * _YEAR_MS  # ... or beyond this program's birth while there is no row

_TIME_ERROR = 5  # adjtimex(2): the kernel knows that nobody disciplines this clock
_CLOCK_BYTES = 8


class ClockError(Exception):
    """A clock that cannot be read: in words, with the mend."""


class Clock(Protocol):
    """What all parts of the gateway are handed instead of the time module."""

    def now_ms(self) -> int: ...
    def trusted(self) -> bool: ...
    def not_before(self, ms: int) -> None:
        """From now on a time before `ms` is not believed (the last row is that old)."""
        ...


class SystemClock:
    """The machine's clock. Not trusted before the program's birth, nor on a board that has neither

    a clock chip nor yet a time from the network; before the last row or years after it only the
    network is believed: then it is that row's clock that was wrong (`root` is for tests).
    """

    def __init__(self, root: Path = Path("/"), earliest_ms: int = EARLIEST_MS) -> None:
        self._root = root
        self._earliest_ms = earliest_ms
        self._floor_ms = earliest_ms
        self._keeps_time = _keeps_time(root)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def not_before(self, ms: int) -> None:
        self._floor_ms = max(self._floor_ms, ms)

    def trusted(self) -> bool:
        now_ms = self.now_ms()
        if now_ms < self._earliest_ms:
            return False
        first = self._floor_ms == self._earliest_ms
        most_ms = self._floor_ms + (AFTER_BIRTH_MS if first else AFTER_ROW_MS)
        if not self._floor_ms <= now_ms <= most_ms:
            return _synchronised(self._root)
        if not self._keeps_time:  # once set it stays set until the next boot
            self._keeps_time = _synchronised(self._root)
        return self._keeps_time


class SteadyClock:
    """Goes on from `floor_ms` while the clock below is not believed: delays must still pass."""

    def __init__(
        self, clock: Clock, floor_ms: int, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._floor_ms = floor_ms
        self._monotonic_s = monotonic_s
        self._began_s = monotonic_s()

    def now_ms(self) -> int:
        if self._floor_ms == 0 or self._clock.trusted():
            return self._clock.now_ms()
        return self._floor_ms + round(1000 * (self._monotonic_s() - self._began_s))

    def trusted(self) -> bool:
        return self._clock.trusted()

    def not_before(self, ms: int) -> None:
        self._clock.not_before(ms)


class FileClock:
    """A simulated clock: 8 bytes, little-endian milliseconds of UTC, written by the simulator."""

    def __init__(self, path: Path, earliest_ms: int = 1) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), _CLOCK_BYTES, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ClockError(
                f"no simulated clock in {path} ({error}): start the simulator first, "
                "or leave --clock-file out"
            ) from None
        self._floor_ms = earliest_ms

    def now_ms(self) -> int:
        return int(struct.unpack_from("<q", self._map)[0])

    def not_before(self, ms: int) -> None:
        self._floor_ms = max(self._floor_ms, ms)

    def trusted(self) -> bool:
        return self.now_ms() >= self._floor_ms


def open_clock(path: Path | None) -> Clock:
    """The simulated clock in `path`, or the machine's."""
    return SystemClock() if path is None else FileClock(path)


def _keeps_time(root: Path) -> bool:
    """A PC has a clock chip; a board with a device tree has one only if the kernel found it."""
    if any((root / "sys/class/rtc").glob("rtc*")):
        return True
    # systemd's ProcSubset=pid hides the first of the two
    models = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
    return not any((root / model).exists() for model in models)


def _synchronised(root: Path) -> bool:
    """systemd-timesyncd's mark, or the kernel's own knowledge (chrony, ntpd, a hypervisor)."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    if root != Path("/"):
        return False
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return False
    return bool(0 <= state < _TIME_ERROR)
