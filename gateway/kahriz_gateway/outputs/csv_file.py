# SPDX-License-Identifier: MIT
"""One CSV file: a point's moments of one day or month, for a spreadsheet.

`time,discharge_lps [L/s],discharge_lps u [L/s],discharge_lps q,…`: ISO times with offset, the unit
in the header, `u` the expanded uncertainty, `q` the QARTOD flag. A number flagged as failed is
left out, its flag stays. What is newer than the file's end is appended, whole lines in one write;
anything else makes the file anew beside itself and puts it in its place.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from kahriz_alarms.service.folder import sync_folder
from kahriz_water.value import Value
from kahriz_wire.fields import FIELDS

FAIL = 4  # QARTOD: from here on a number is not shown
_TAIL_BYTES = 4096  # more than one line


def write_file(path: Path, rows: Sequence[tuple[int, Sequence[Value]]], zone: tzinfo) -> None:
    """Make the file anew, or take it away where there is no row."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    head = columns(values for _, values in rows)
    text = _text([["time", *map(title_of, head)], *(cells_of(row, head, zone) for row in rows)])
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def append(path: Path, rows: Sequence[tuple[int, Sequence[Value]]], zone: tzinfo) -> bool:
    """Add rows that are newer than the file's end; False when the file must be made anew."""
    end = _end(path, zone)
    if end is None or not rows or rows[0][0] <= end:
        return False
    with path.open(encoding="utf-8", newline="") as file:
        titles = next(csv.reader(file))
    head = columns(values for _, values in rows)
    if not set(map(title_of, head)) <= set(titles):
        return False  # a quantity that the file does not know yet
    known = [title.split(" [")[0] for title in titles[1:]]
    text = _text([cells_of(row, known, zone) for row in rows])
    with path.open("ab", buffering=0) as out:
        out.write(text)
        os.fsync(out.fileno())
    return True


def columns(rows: Iterable[Sequence[Value]]) -> list[str]:
    """The columns after `time`: each quantity, its uncertainty where it ever has one, its flag."""
    certain: dict[str, bool] = {}
    for values in rows:
        for value in values:
            certain[value.quantity] = certain.get(value.quantity, True) and value.u is None
    found = []
    for quantity in sorted(certain):
        found += [quantity] if certain[quantity] else [quantity, f"{quantity} u"]
        found.append(f"{quantity} q")
    return found


def title_of(column: str) -> str:
    quantity, _, what = column.partition(" ")
    known = FIELDS.get(quantity)
    return f"{column} [{known[0]}]" if known and what != "q" else column


def cells_of(row: tuple[int, Sequence[Value]], head: Sequence[str], zone: tzinfo) -> list[str]:
    ts, values = row
    cells: dict[str, str] = {}
    for value in values:
        cells[f"{value.quantity} q"] = str(value.q)
        if value.q < FAIL:
            cells[value.quantity] = _number(value.quantity, value.value)
            if value.u is not None:
                cells[f"{value.quantity} u"] = _number(value.quantity, value.u)
    return [_iso(ts, zone), *(cells.get(column, "") for column in head)]


def _number(quantity: str, number: float) -> str:
    known = FIELDS.get(quantity)
    return f"{number:.{known[1]}f}" if known else repr(number)


def _iso(ts: int, zone: tzinfo) -> str:
    timespec = "seconds" if ts % 1000 == 0 else "milliseconds"
    return datetime.fromtimestamp(ts / 1000, zone).isoformat(timespec=timespec)


def _text(lines: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()


def _end(path: Path, zone: tzinfo) -> int | None:
    """The time of the last line; None when there is none, or it was cut short by a power cut."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return None
    if not tail.endswith(b"\n"):
        return None
    last = tail.decode(errors="replace").splitlines()[-1]
    try:
        return round(datetime.fromisoformat(last.split(",")[0]).timestamp() * 1000)
    except ValueError:
        return None
