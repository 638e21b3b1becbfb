# SPDX-License-Identifier: MIT
"""A backup back into an empty folder, under a new store id.

The new id tells the nodes that this store does not have what the old one receipted after the
backup: each offers everything again from its `first`, and what the backup lacks is filled up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from kahriz_alarms.service.folder import sync_folder
from kahriz_gateway import notify_sign
from kahriz_gateway.backup.backup import (
    PLAN,
    READINGS,
    RECORDS,
    VILLAGE,
    Backup,
    checksum,
    verify,
)
from kahriz_gateway.intake.store import StoreError, notice, open_store, put_meta
from kahriz_gateway.village import store as village_store

_WORK = ".restoring"
# What an intake, a village or a file system leaves in a folder without any reading.
_HARMLESS = {_WORK, notify_sign.LOCK, "intake.state", "village.state", "lost+found"}


def restore(path: Path, data: Path, now_ms: int, dry_run: bool = False) -> tuple[Backup, str]:
    """The backup that was (or could be) restored, and the new store's id ("" for a dry run)."""
    found = verify(path)
    _refuse_a_full_folder(data)
    if dry_run:
        _refuse_a_full_disk(found, data)
        return found, ""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = notify_sign.take_lock(data)
    except OSError as error:
        raise StoreError(
            f"cannot write {data} ({error.strerror}): choose another folder"
        ) from error
    if lock is None:
        raise StoreError(f"an intake works in {data}: stop it first")
    with lock:
        _refuse_a_full_disk(found, data)
        return found, _restore(found, data, now_ms)


def _restore(found: Backup, data: Path, now_ms: int) -> str:
    work = data / _WORK
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for name, about in found.files.items():
            shutil.copyfile(found.path / name, work / name)
            if checksum(work / name) != about["sha256"]:
                raise StoreError(f"{name} was changed on its way to {data}: is that disk sound?")
        ident = os.urandom(4).hex()
        _renew_readings(work / READINGS, found, ident, now_ms)
        if VILLAGE in found.files:
            _renew_village(work / VILLAGE, ident)
        for name in found.files:
            with (work / name).open("rb") as file:
                os.fsync(file.fileno())
        # readings.db last: without it the folder still counts as empty
        for name in sorted(found.files, key=lambda n: n == READINGS):
            os.replace(work / name, data / name)
        sync_folder(data)
        return ident
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"not restored: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _renew_readings(path: Path, found: Backup, ident: str, now_ms: int) -> None:
    made = f"{datetime.fromtimestamp(found.made_ms / 1000, UTC):%Y-%m-%d %H:%M UTC}"
    with contextlib.closing(open_store(path, found.site)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        put_meta(conn, "store", ident)
        words = f"backup of {made}, store {found.store}; the nodes offer again what came later"
        notice(conn, now_ms, None, "restored", words)
        conn.execute("COMMIT")
        conn.execute("PRAGMA journal_mode=DELETE")


def _renew_village(path: Path, ident: str) -> None:
    with contextlib.closing(village_store.open_village(path)) as conn:
        with village_store.transaction(conn):
            village_store.set_state(conn, "follows", ident)
            # what was about to be sent that night may have been: it says that it may be a repeat
            conn.execute("UPDATE delivery SET state='trying' WHERE state='pending'")
        conn.execute("PRAGMA journal_mode=DELETE")


def _refuse_a_full_folder(data: Path) -> None:
    there = {p.name for p in data.iterdir()} if data.is_dir() else set()
    leftovers = {VILLAGE, PLAN, RECORDS} if READINGS not in there and _WORK in there else set()
    strange = sorted(there - _HARMLESS - leftovers)
    if strange:
        raise StoreError(
            f"{data} is not empty ({', '.join(strange[:3])}): restore goes into an empty folder; "
            "move the old stores away, never throw them away"
        )


def _refuse_a_full_disk(found: Backup, data: Path) -> None:
    there = data if data.exists() else data.absolute().parent
    if not there.exists():
        return
    free = shutil.disk_usage(there).free
    if free < 2 * found.bytes:
        needed = 2 * found.bytes // 1_000_000 + 1
        raise StoreError(f"{free // 1_000_000} MB free in {there}: {needed} MB are needed")
