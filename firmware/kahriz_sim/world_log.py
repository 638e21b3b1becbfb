# SPDX-License-Identifier: MIT
"""What the world leaves on disk: its log of samples and events, its clock, its state.

world.jsonl is the truth that the audit counts by; each line is one write(2), so kill -9 tears
none.
clock holds the simulated UTC in ms as a little-endian int64, mapped by whoever needs the time.
world.json is the state of the water, written now and then; from it and the log a second run goes
on.
"""

import json
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_sim.errors import ConfigError

CLOCK_BYTES = 8


@dataclass(frozen=True)
class LeakRecord:
    reach: str
    lps: float
    at_ms: int


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The log's lines, but for one that a crash left unfinished."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


class WorldLog:
    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._state_path = data_dir / "world.json"
        path = data_dir / "world.jsonl"
        self.wakes: dict[str, int] = {}
        self.leaks: set[LeakRecord] = set()
        for line in lines_of(path):
            if "wake" in line:
                node = line["node"]
                self.wakes[node] = max(self.wakes.get(node, 0), line["wake"])
            if line.get("event") == "leak":
                self.leaks.add(LeakRecord(line["reach"], line["lps"], line["t"]))
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            os.write(self._fd, b"\n")
        clock = os.open(data_dir / "clock", os.O_RDWR | os.O_CREAT, 0o644)
        self.resumed = os.fstat(clock).st_size >= CLOCK_BYTES and self._state_path.exists()
        os.ftruncate(clock, CLOCK_BYTES)
        self._clock = mmap.mmap(clock, CLOCK_BYTES)
        os.close(clock)

    @property
    def is_open(self) -> bool:
        return self._fd >= 0

    def write(self, line: dict[str, Any]) -> None:
        os.write(self._fd, (json.dumps(line, separators=(",", ":")) + "\n").encode())

    def next_wake(self, node: str) -> int:
        wake = self.wakes[node] = self.wakes.get(node, 0) + 1
        return wake

    @property
    def clock_ms(self) -> int:
        return int(struct.unpack("<q", self._clock[:CLOCK_BYTES])[0])

    @clock_ms.setter
    def clock_ms(self, t_ms: int) -> None:
        self._clock[:CLOCK_BYTES] = struct.pack("<q", t_ms)

    def save(self, state: dict[str, Any]) -> None:
        new = self._state_path.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.replace(self._state_path)

    def load(self, identity: dict[str, Any]) -> dict[str, Any]:
        """The saved state, if it is that of the same world."""
        state: dict[str, Any] = json.loads(self._state_path.read_text())
        for key, value in identity.items():
            if state.get(key) != value:
                raise ConfigError(
                    f"{self._state_path}: holds the world of {key} {state.get(key)!r}, "
                    f"not {value!r}; take another data folder"
                )
        return state

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._clock.close()
            self._fd = -1
