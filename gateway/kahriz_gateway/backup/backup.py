# SPDX-License-Identifier: MIT
"""A backup: the stores, the plan and the records in one folder, with checksums; whole or not.

The folder gets its name only when everything is on the disk. village.db is copied first, so that
it never knows of a reading that the copy of readings.db has not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kahriz_alarms.loop.store import version_of
from kahriz_alarms.service.folder import sync_folder
from kahriz_gateway.committee import book
from kahriz_gateway.intake.store import StoreError, get_meta, read_store
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store

MANIFEST = "manifest.json"
FORMAT = 1
READINGS, VILLAGE = "readings.db", "village.db"
PLAN, RECORDS = "site.toml", "records.toml"
PAGES = 512  # copied between two looks at the writer, which is never kept waiting
_PARTIAL = ".partial-"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """One whole backup, as its manifest describes it."""

    path: Path
    site: str
    store: str
    made_ms: int
    rows: int
    files: dict[str, dict[str, Any]]

    @property
    def bytes(self) -> int:
        return sum(int(about["bytes"]) for about in self.files.values())


def make(data: Path, config: Path, target: Path, now_ms: int, keep: int | None = None) -> Backup:
    """Copy the stores while they are in use; older backups beyond `keep` of this site go."""
    with contextlib.closing(read_store(data / READINGS)) as conn:
        site, store = get_meta(conn, "site") or "", get_meta(conn, "store") or ""
    name = f"{site}-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
    partial = target / f"{_PARTIAL}{name}"
    try:
        if (target / name).exists():
            raise StoreError(f"{target / name} is there already: two backups in one second")
        target.mkdir(parents=True, exist_ok=True)
        _refuse_the_stores_own_folder(data, target)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        rows = _fill(partial, data, config)
        files = {path.name: _describe(path) for path in sorted(partial.iterdir())}
        about = {
            "format": FORMAT, "site": site, "store": store, "made_ms": now_ms, "rows": rows,
            "files": files,
        }  # fmt: skip
        _write(partial / MANIFEST, json.dumps(about, indent=1).encode())
        sync_folder(partial)
        partial.rename(target / name)
        sync_folder(target)
        found = verify(target / name)
        if keep is not None:
            for old in listed(target, site)[:-keep]:
                shutil.rmtree(old)
        return found
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"no backup in {target}: {error}; nothing half is left there") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def verify(path: Path) -> Backup:
    """Every file there, of its size and checksum, the stores sound; StoreError says what is not."""
    try:
        about = json.loads((path / MANIFEST).read_bytes())
        found = Backup(
            path, about["site"], about["store"], about["made_ms"], about["rows"], about["files"]
        )
        version = about["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is no whole backup ({MANIFEST}: {error}): choose another one"
        ) from error
    if version != FORMAT:
        raise StoreError(f"{path} is of format {version}, this program reads {FORMAT}")
    for name, expected in found.files.items():
        file = path / name
        if not file.is_file() or _describe(file) != expected:
            raise StoreError(f"{file} is missing or not what was saved: choose another backup")
    if READINGS not in found.files:
        raise StoreError(f"{path} has no {READINGS}: choose another backup")
    for name in (READINGS, VILLAGE, book.FILE):
        if name in found.files:
            _sound(path / name)
    return found


def listed(target: Path, site: str) -> list[Path]:
    """The whole backups of a site in a folder, oldest first."""
    stamps = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"
    return sorted(p for p in target.glob(f"{site}-{stamps}") if (p / MANIFEST).is_file())


def checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection]:
    """A store that nobody writes, without leaving files beside it."""
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as conn:
        yield conn


def _fill(partial: Path, data: Path, config: Path) -> int:
    if _made(data / VILLAGE):
        _copy(data / VILLAGE, partial / VILLAGE)
        text = _records(data / VILLAGE)
        if text is not None:
            _write(partial / RECORDS, text.encode())
    if _made(data / book.FILE):
        _copy(data / book.FILE, partial / book.FILE)
        book.drop_key(partial / book.FILE)
    _copy(data / READINGS, partial / READINGS)
    _write(partial / PLAN, config.read_bytes())
    with looking(partial / READINGS) as conn:
        return int(conn.execute("SELECT count(*) FROM reading").fetchone()[0])


def _made(path: Path) -> bool:
    """Whether there is something to copy; a store whose maker was cut off is none yet."""
    if not path.exists():
        return False
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=20)) as conn:
        return version_of(conn) > 0


def _records(village: Path) -> str | None:
    """The dated records for people to read; a store of an older version has them inside alone."""
    with contextlib.closing(village_store.open_village(village, True)) as conn:
        version = conn.execute("PRAGMA user_version").fetchone()[0]
        return records.export_records(conn) if version == len(village_store.MIGRATIONS) else None


def _copy(source: Path, target: Path) -> None:
    """SQLite's online copy: one moment of the store, while its writer goes on."""
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, timeout=20)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.execute("BEGIN")  # one moment: else each commit of the writer starts the copy anew
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=PAGES)
        new.execute("PRAGMA journal_mode=DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _sound(path: Path) -> None:
    try:
        with looking(path) as conn:
            verdict = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise StoreError(f"{path} is damaged ({verdict}): choose another backup")


def _describe(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": checksum(path)}


def _write(path: Path, body: bytes) -> None:
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _refuse_the_stores_own_folder(data: Path, target: Path) -> None:
    if target.resolve() == data.resolve():
        raise StoreError("a backup beside the stores dies with them: name a folder on another disk")
