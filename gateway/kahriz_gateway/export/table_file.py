# SPDX-License-Identifier: MIT
"""A CSV file written line by line, that goes on where an earlier run was broken off.

It grows as `NAME.part` and gets its name when it is whole. Its head (lines with #) says what it
holds; a part with another head is begun anew, for it would mix two histories.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from kahriz_gateway.intake.store import StoreError

Row = Sequence[str]
# The rows after a row that was written (None: from the first one on).
RowsAfter = Callable[[list[str] | None], Iterable[Row]]
FLUSH_ROWS = 5_000


def write_table(
    path: Path,
    head: Sequence[str],
    columns: Row,
    rows_after: RowsAfter,
    progress: Callable[[int], None] = lambda rows: None,
) -> int:
    """Write or go on; the rows of the whole file."""
    plain_file(path)
    part = path.with_name(path.name + ".part")
    opening = _text([], head) + _text([columns])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, last, end = _written(part, opening)
        with part.open("r+b" if end else "wb") as out:
            out.seek(end)
            out.truncate()
            if not end:
                out.write(opening)
            progress(done)
            batch: list[Row] = []
            for row in rows_after(last):
                batch.append(row)
                if len(batch) == FLUSH_ROWS:
                    out.write(_text(batch))
                    done += len(batch)
                    progress(len(batch))
                    batch = []
            out.write(_text(batch))
            done += len(batch)
            progress(len(batch))
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {error.filename or part} ({error.strerror}): make room or give another"
            f" --out, then give the same command again; it goes on where it stopped"
        ) from error
    return done


def plain_file(path: Path) -> None:
    """A device or a folder would be replaced by the file, which takes its place at the end."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is no file: give another --out")


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a whole file, by column; StoreError for one that was cut short."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = (line for line in file if not line.startswith("#"))
            reader = csv.DictReader(lines, strict=True)
            for row in reader:
                if None in row or None in row.values():
                    raise StoreError(f"{path}: line {reader.line_num} has not all its columns")
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"cannot read {path}: {error}") from error


def _written(part: Path, opening: bytes) -> tuple[int, list[str] | None, int]:
    """Rows that an earlier run has written whole, the last one, and where they end."""
    try:
        with part.open("rb") as file:
            if file.read(len(opening)) != opening:
                return 0, None, 0
            rows, last, end = 0, b"", len(opening)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # cut short by a kill
                rows, last, end = rows + 1, line, end + len(line)
    except FileNotFoundError:
        return 0, None, 0
    return rows, (next(csv.reader([last.decode()])) if rows else None), end


def _text(rows: Iterable[Row], head: Sequence[str] = ()) -> bytes:
    out = io.StringIO()
    for line in head:
        out.write(f"# {line}\n")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
