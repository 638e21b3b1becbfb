# SPDX-License-Identifier: MIT
"""The power goes at every flash operation of a short day: clean, torn, and with garbage left."""

import json
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "firmware" / "lib"
MICROPYTHON = [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=128k"]
BLOCKS = 16
BLOCK_BYTES = 4096
MODES = ("clean", "torn", "garbage")
PARTS = 8  # the cuts of a mode are spread over this many tests


@dataclass
class Day:
    """The recorded day: the formatted flash, each operation, and what was acknowledged when."""

    formatted: bytes
    operations: list[tuple[int, bytes]]
    events: list[dict[str, Any]]

    def image(self, done: int, mode: str) -> bytes:
        """The flash when power went during operation number `done`."""
        flash = bytearray(self.formatted)
        for at, data in self.operations[:done]:
            flash[at : at + len(data)] = data
        at, data = self.operations[done]
        if mode == "torn":
            flash[at : at + len(data) // 2] = data[: len(data) // 2]
        elif mode == "garbage":
            flash[at : at + len(data)] = random.Random(done).randbytes(len(data))
        return bytes(flash)


def program(name: str, *arguments: str) -> str:
    command = [*MICROPYTHON, str(HERE / name), str(LIB), str(HERE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def day(folder: Path) -> Day:
    """The day, lived once."""
    log = folder / "operations"
    events = [json.loads(line) for line in program("cut_day.py", str(log)).splitlines()]
    return recorded(log, events)


def recorded(log: Path, events: list[dict[str, Any]]) -> Day:
    """The operations of a log, and the flash before them."""
    data = log.read_bytes()
    operations = []
    at = 0
    while at < len(data):
        where, size = struct.unpack_from("<II", data, at)
        operations.append((where, data[at + 8 : at + 8 + size]))
        at += 8 + size
    return Day(Path(f"{log}.new").read_bytes(), operations, events)


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return day(tmp_path_factory.mktemp("cuts"))


def check(lived: Day, done: int, mode: str, path: Path) -> None:
    """Whatever was acknowledged is there, and no number is given twice."""
    path.write_bytes(lived.image(done, mode))
    lines = [
        json.loads(line) for line in program("cut_check.py", str(path), str(BLOCKS)).splitlines()
    ]
    before = [event for event in lived.events if event["operations"] <= done]
    rows = [event for event in before if event["what"] == "row"]
    marks = [event["upto"] for event in before if event["what"] == "mark"]
    receipted = set(range(1, max([*marks, 0]) + 1)) - {2, 3}
    held = {line[1]: line[3] for line in lines if line[0] == "before" and line[3] is not None}
    acknowledged = [row["n"] for row in rows]
    what = f"{mode} cut at operation {done}"
    for n in acknowledged:
        assert n in held or n in receipted, f"{what}: {n} was acknowledged and is lost"
    for n, text in held.items():
        row = json.loads(text)
        assert row["weir_distance_m"] == round(0.6 + n / 10000, 4), f"{what}: {n} is another"
    given = [line[1] for line in lines if line[0] == "given"]
    assert given[0] > max([*acknowledged, 0]), f"{what}: a number is given twice"
    assert given == sorted(set(given)), what
    after = [line for line in lines if line[0] == "after"]
    kept = {line[1] for line in after if line[3] is not None}
    assert kept.issuperset(given), f"{what}: the journal does not go on"
    missing = set(range(1, given[-1] + 1)) - kept
    told = {n for _, a, b, text, word in after if text is None and word for n in range(a, b + 1)}
    assert missing == told, f"{what}: a gap has no reason"
    if acknowledged:
        assert ["id", lived.events[0]["id"]] in lines, f"{what}: the journal has another name"
    if marks:
        wanted = next(line[1] for line in lines if line[0] == "open")
        assert [2, 3] in wanted, f"{what}: the mark is lost"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_power_cut_loses_at_most_the_record_being_written(
    lived: Day, part: int, mode: str, tmp_path: Path
) -> None:
    for done in range(part, len(lived.operations), PARTS):
        check(lived, done, mode, tmp_path / "image")


def test_the_day_rolls_segments_drops_some_and_moves_the_mark(lived: Day) -> None:
    rows = [event for event in lived.events if event["what"] == "row"]
    assert [row["n"] for row in rows] == list(range(1, 43))
    assert rows[-1]["dropped"] > 0
    assert sum(event["what"] == "mark" for event in lived.events) == 5
    assert len(lived.operations) > 100
