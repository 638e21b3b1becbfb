# SPDX-License-Identifier: MIT
"""The long table into an empty store: a copy to calculate with, and the proof of the file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from kahriz_gateway.export.provenance import approvals_in
from kahriz_gateway.export.table_file import read_table
from kahriz_gateway.export.values import value_of
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.approvals import REVISED, put_revised
from kahriz_gateway.village import store as village_store

BATCH = 5_000


def read_back(file: Path, folder: Path, progress: Callable[[int], None] = lambda rows: None) -> int:
    """All of it or nothing; a store that has values already is left alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}") from error
    done = 0
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        if conn.execute("SELECT 1 FROM value LIMIT 1").fetchone():
            raise StoreError(f"{folder} has values already: give an empty folder")
        rows = read_table(file)
        changed: list[tuple[str, str, int]] = []
        with village_store.transaction(conn):
            while part := list(islice(rows, BATCH)):
                try:
                    values = [value_of(row) for row in part]
                except (KeyError, ValueError) as error:
                    raise StoreError(f"{file} is no long table of values: {error}") from error
                village_store.put_values(conn, values)
                changed += [
                    (v.point, v.quantity, v.ts)
                    for v, row in zip(values, part, strict=True)
                    if row.get("approval") == REVISED
                ]
                done += len(part)
                progress(len(part))
            _approve(conn, file, changed)
    return done


def _approve(conn: sqlite3.Connection, file: Path, changed: Sequence[tuple[str, str, int]]) -> None:
    """Approvals as the head says them, after the values: these are no changes of theirs."""
    known = approvals_in(file)
    records_store.put_approvals(conn, known)
    held = {each.point: each.at for each in sorted(known, key=lambda a: a.at)}
    missing = sorted({point for point, _, _ in changed} - held.keys())
    if missing:
        raise StoreError(f"{file}: revised numbers of {missing[0]}, and no approval in its head")
    put_revised(conn, ((point, name, ts, held[point]) for point, name, ts in changed))
