# SPDX-License-Identifier: MIT
"""A disk that took no writes when the village came up, and takes them again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kahriz_gateway.village import store as village_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    village_store.open_village(tmp_path / "village.db").close()
    return tmp_path / "village.db"


def test_a_village_that_came_up_read_only_wants_a_new_start_when_the_disk_is_well(
    path: Path,
) -> None:
    conn = village_store.open_village(path, read_only=True)  # as SQLite opens it on such a disk
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        village_store.set_state(conn, "tried", 1)
    assert village_store.wants_new_start(conn, path)
    conn.close()


def test_it_waits_while_the_disk_takes_no_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn = village_store.open_village(path, read_only=True)

    def refused(self: Path, mode: str) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", refused)
    assert not village_store.wants_new_start(conn, path)
    conn.close()


def test_a_village_that_can_write_goes_on(path: Path) -> None:
    conn = village_store.open_village(path)
    assert not village_store.wants_new_start(conn, path)
    assert not conn.in_transaction
    conn.close()
