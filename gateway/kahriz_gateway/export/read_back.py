# SPDX-License-Identifier: MIT
"""The long table into an empty store: a copy to calculate with, and the proof of the file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from kahriz_gateway.export.table_file import read_table
from kahriz_gateway.export.values import value_of
from kahriz_gateway.intake.store import StoreError
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
        with village_store.transaction(conn):
            while part := list(islice(rows, BATCH)):
                try:
                    values = [value_of(row) for row in part]
                except (KeyError, ValueError) as error:
                    raise StoreError(f"{file} is no long table of values: {error}") from error
                village_store.put_values(conn, values)
                done += len(part)
                progress(len(part))
    return done
