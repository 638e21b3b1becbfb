# SPDX-License-Identifier: MIT
"""A person in the stores of a gateway: all that is kept of one, and taking it out for good.

What happened stays (the turn, the repair, the reading); who it was becomes a dash, everywhere the
id, the name, the number or the address stands. Photos that the person sent or is named beside go.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_gateway.committee import book

FORGOTTEN = book.FORGOTTEN
PHOTOS = "photos"
BOOK = {"entry": ("who", "body"), "pin": ("person",)}
VILLAGE = {
    "alarm": ("owner", "shelved_by", "shelved_why"),
    "alarm_event": ("who", "note", "data"),
    "message": ("person", "text"),
    "incoming": ("person", "sender", "text"),
    "maintenance": ("who", "why"),
    "staff": ("who", "note"),
    "gauging": ("who", "note"),
    "zero": ("who", "note"),
    "rating": ("author", "note"),
    "approval": ("who", "note"),
    "deployment": ("note",),
    "state": ("value",),
}


@dataclass(frozen=True)
class Person:
    """The id in the plan, and the words by which one is known: name, number, addresses."""

    id: str
    words: tuple[str, ...] = ()

    def out_of(self, text: object) -> object:
        """A text, or JSON, without the person."""
        if not isinstance(text, str):
            return text
        if text[:1] in ("{", "["):
            try:
                found = json.loads(text)
            except ValueError:
                return self._out_of_words(text)
            cleaned = self._walk(found)
            return text if cleaned == found else json.dumps(cleaned, ensure_ascii=False)
        return self._out_of_words(text)

    def _walk(self, found: Any) -> Any:
        if isinstance(found, dict):
            return {key: self._walk(value) for key, value in found.items()}
        if isinstance(found, list):
            return [self._walk(value) for value in found]
        return self._out_of_words(found) if isinstance(found, str) else found

    def _out_of_words(self, text: str) -> str:
        if text == self.id:
            return FORGOTTEN
        for word in self.words:
            ending = r"\w{0,5}" if " " in word else ""  # Quliyevin, Quliyevdən: of a whole name
            pattern = rf"(?<!\w){re.escape(word)}{ending}(?!\w)"
            text = re.sub(pattern, FORGOTTEN, text, flags=re.IGNORECASE)
        return text


def kept(data_dir: Path, person: Person) -> dict[str, Any]:
    """Everything that the stores hold of a person, row by row; PINs only as a fact."""
    found: dict[str, Any] = {"person": person.id, "words": list(person.words)}
    for path, tables in _stores(data_dir):
        with closing(_open(path, person)) as conn:
            for table, columns in tables.items():
                rows = conn.execute(f"SELECT * FROM {table} WHERE {_held(columns)}")  # noqa: S608
                held = [{k: row[k] for k in row.keys() if k != "hash"} for row in rows]  # noqa: SIM118
                if held:
                    found[f"{path.stem}.{table}"] = held
    found["photos"] = sorted(_photos(data_dir, person))
    return found


def forget(data_dir: Path, person: Person) -> dict[str, int]:
    """Take a person out of every store, and the photos away; rows changed by table."""
    photos = _photos(data_dir, person)
    for name in photos:  # first: cut off here, the next run still finds what belonged to them
        (data_dir / PHOTOS / name).unlink(missing_ok=True)
    count: dict[str, int] = {}
    for path, tables in _stores(data_dir):
        with closing(_open(path, person)) as conn:
            conn.execute("PRAGMA secure_delete=1")
            conn.execute("BEGIN IMMEDIATE")
            for table, columns in tables.items():
                held = f" WHERE {_held(columns)}"
                if table == "pin":
                    change = f"DELETE FROM pin{held}"  # noqa: S608
                else:
                    change = f"UPDATE {table} SET {','.join(f'{c}=out({c})' for c in columns)}"  # noqa: S608
                    change += held
                count[table] = conn.execute(change).rowcount
            _drop_photos(conn, tables, photos)
            conn.execute("COMMIT")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the old text leaves the disk, too
    count["photos"] = len(photos)
    return {table: n for table, n in count.items() if n}


def _drop_photos(conn: sqlite3.Connection, tables: dict[str, Any], photos: set[str]) -> None:
    for name in photos:
        if "entry" in tables:
            conn.execute("UPDATE entry SET body=replace(body, ?, '')", (name,))
        if "staff" in tables:
            conn.execute("UPDATE staff SET photo='' WHERE photo=?", (name,))


def _photos(data_dir: Path, person: Person) -> set[str]:
    """Photos of the entries that the person made or is named in."""
    path = data_dir / book.FILE
    if not any(each == path for each, _ in _stores(data_dir)):
        return set()
    with closing(_open(path, person)) as conn:
        rows = conn.execute(f"SELECT body FROM entry WHERE {_held(BOOK['entry'])}")  # noqa: S608
        return {name for row in rows if (name := json.loads(row["body"]).get("photo"))}


def _stores(data_dir: Path) -> list[tuple[Path, dict[str, Any]]]:
    both = [(data_dir / book.FILE, BOOK), (data_dir / "village.db", VILLAGE)]
    return [(path, tables) for path, tables in both if path.exists() and not _empty(path)]


def _empty(path: Path) -> bool:
    """Whether its maker was killed before it put a table in: it holds nothing of anybody."""
    try:
        with closing(sqlite3.connect(path, timeout=10.0)) as conn:
            return conn.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    except sqlite3.Error:
        return False  # `_open` says what is wrong with it


def _open(path: Path, person: Person) -> sqlite3.Connection:
    try:
        conn = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        conn.row_factory = sqlite3.Row
        out: Callable[[Any], Any] = person.out_of
        conn.create_function("out", 1, out, deterministic=True)
        conn.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise book.BookError(f"{path}: {error}; put back the file of the last backup") from error
    return conn


def _held(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"out({c}) IS NOT {c}" for c in columns)
