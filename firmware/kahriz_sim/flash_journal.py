# SPDX-License-Identifier: MIT
"""The rows a node still owes, read from its flash file with the node's own journal code."""

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_sim.errors import ConfigError
from kahriz_wire.release import JOURNAL

BLOCK_BYTES = 4096  # as the board's flash chip
UNIT_BYTES = 32  # read and program size with which the board formats


@dataclass(frozen=True)
class OwedRow:
    journal: str
    n: int
    ts: int | None
    tq: str | None
    body: dict[str, Any]  # as the node would send it


def owed_rows(flash: Path, store: str | None = None) -> list[OwedRow]:
    """Rows on flash that the gateway called `store`, or the last that spoke, has not receipted."""
    rows: list[OwedRow] = []
    with tempfile.TemporaryDirectory(prefix="kahriz-journal-") as name:
        root = Path(name)
        for journal in _unpack(flash, root):
            rows += _of_journal(root / journal, journal, store)
    return rows


@dataclass(frozen=True)
class Mark:
    """What a node holds for stored: all numbers of the journal up to `upto` but the missing."""

    journal: str
    store: str  # the gateway's that said so
    upto: int
    missing: list[list[int]]


def marks(flash: Path) -> list[Mark]:
    """The mark of each journal on flash that ever had a receipt."""
    fs = _mounted(flash)
    found = []
    for journal in _ids(fs):
        with suppress(FileNotFoundError), fs.open(f"{JOURNAL}/{journal}/mark", "rb") as file:
            found.append(Mark(journal, *json.loads(file.read()[8:])))
    return found


def _of_journal(home: Path, journal_id: str, store: str | None) -> list[OwedRow]:
    from kahriz_node.journal import Journal

    open_journal: Any = Journal  # the chip's code: its types are checked against the chip's stubs
    journal = open_journal(str(home), None, _no_draw, writable=False)
    ranges = journal.open_ranges()
    if store is not None and _receipted_by(home / journal_id / "mark") != store:
        ranges = [[journal.first, journal.next - 1]]  # to another gateway all is offered again
    rows = []
    for a, b in ranges:
        for n, _, text, _ in journal.rows(max(a, journal.first), b):
            if text is not None:
                row: dict[str, Any] = json.loads(text)
                rows.append(OwedRow(journal_id, n, row.get("ts"), row.get("tq"), row))
    return rows


def _no_draw() -> str:
    raise ConfigError("a journal without a name")


def _receipted_by(mark: Path) -> str:
    try:
        return str(json.loads(mark.read_bytes()[8:])[0])
    except (OSError, ValueError):
        return ""


def _unpack(flash: Path, root: Path) -> list[str]:
    """Copy the journals out, each under a root of its own; returns their ids."""
    from littlefs import LittleFSError

    try:
        fs = _mounted(flash)
        ids = _ids(fs)
        for journal in ids:
            home = root / journal / journal
            home.mkdir(parents=True)
            for name in fs.listdir(f"{JOURNAL}/{journal}"):
                with fs.open(f"{JOURNAL}/{journal}/{name}", "rb") as file:
                    (home / name).write_bytes(file.read())
    except LittleFSError as error:
        raise ConfigError(f"{flash}: the flash file cannot be read: {error}") from error
    return ids


def _mounted(flash: Path) -> Any:
    from littlefs import LittleFS, UserContext

    class Image(UserContext):
        """Without a word to the log for each block: most of the time went there."""

        def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
            start = block * BLOCK_BYTES + off
            return image[start : start + size]

    image = bytearray(flash.read_bytes())
    fs = LittleFS(
        context=Image(buffer=image),
        block_size=BLOCK_BYTES,
        block_count=len(image) // BLOCK_BYTES,
        read_size=UNIT_BYTES,
        prog_size=UNIT_BYTES,
        mount=False,
    )
    fs.mount()
    return fs


def _ids(fs: Any) -> list[str]:
    try:
        return list(fs.listdir(JOURNAL))
    except FileNotFoundError:
        return []
