# SPDX-License-Identifier: MIT
"""What a run keeps in its folder: small files whole or not there, stores that may be being made."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

BUSY_S = 30.0  # a writer holds a store for milliseconds; a slow disk for seconds


def put(path: Path, text: str) -> None:
    """Write a small file at once: a run that is killed meanwhile leaves the old one, or none."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def ask(store: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a store; none while it is not there, or its tables are only being made."""
    if not store.exists():
        return []
    uri = f"{store.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as db:
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []
