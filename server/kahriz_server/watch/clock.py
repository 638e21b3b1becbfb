# SPDX-License-Identifier: MIT
"""The office's clock: the machine's, or eight bytes that a simulation writes."""

from __future__ import annotations

import struct
import time
from pathlib import Path

EARLIEST_MS = 1_735_689_600_000  # 2025-01-01: a clock before it has never been set


class OfficeClock:
    """A file holds milliseconds of UTC, little-endian, as the gateway's --clock-file does."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.now_ms()

    def now_ms(self) -> int:
        if self._file is None:
            return time.time_ns() // 1_000_000
        return int(struct.unpack("<q", self._file.read_bytes()[:8])[0])

    def trusted(self) -> bool:
        return self.now_ms() >= EARLIEST_MS
