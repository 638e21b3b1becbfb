# SPDX-License-Identifier: MIT
"""readings.db: made, migrated, refused in words, read beside its writer."""

import sqlite3
from pathlib import Path

import pytest

from kahriz_gateway.intake.store import (
    MIGRATIONS,
    StoreError,
    gaps,
    get_meta,
    migrate,
    open_store,
    put_meta,
    read_store,
)

from .conftest import SITE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "readings.db"


def test_a_new_store_draws_its_id_once_and_keeps_it(path: Path) -> None:
    first = open_store(path, SITE)
    store = get_meta(first, "store")
    assert store is not None
    assert len(bytes.fromhex(store)) == 4
    first.close()
    assert get_meta(open_store(path, SITE), "store") == store
    assert get_meta(open_store(path.parent / "other.db", SITE), "store") != store


def test_every_commit_reaches_the_disk(path: Path) -> None:
    conn = open_store(path, SITE)
    assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert conn.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_newer_store_is_refused_in_words_by_writer_and_reader(path: Path) -> None:
    conn = open_store(path, SITE)
    put_meta(conn, "schema", str(len(MIGRATIONS) + 1))
    conn.close()
    for refuse in (lambda: open_store(path, SITE), lambda: read_store(path)):
        with pytest.raises(StoreError, match="written by a newer Kahriz Monitor"):
            refuse()


def test_the_store_of_another_site_is_refused(path: Path) -> None:
    open_store(path, SITE).close()
    with pytest.raises(StoreError, match="not of 'baharli-valibay'"):
        open_store(path, "baharli-valibay")


def test_a_file_that_is_no_store_is_refused_in_words(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match="is damaged"):
        open_store(path, SITE)


def test_a_reader_of_nothing_is_told_what_to_do(path: Path) -> None:
    with pytest.raises(StoreError, match="no store in"):
        read_store(path)


def test_a_folder_that_cannot_be_made_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another --data folder"):
        open_store(tmp_path / "file" / "readings.db", SITE)


def test_a_migration_is_whole_or_not_at_all(path: Path) -> None:
    conn = open_store(path, SITE)
    conn.execute("INSERT INTO notice(kind, detail) VALUES('old', 'row')")
    step = "ALTER TABLE notice ADD COLUMN who TEXT;"
    with pytest.raises(sqlite3.OperationalError):
        migrate(conn, path, (*MIGRATIONS, step, "CREATE TABLE half(x); DROP TABLE nowhere;"))
    assert get_meta(conn, "schema") == str(len(MIGRATIONS) + 1), "the first step stands"
    assert conn.execute("SELECT 1 FROM sqlite_master WHERE name='half'").fetchone() is None
    assert migrate(conn, path, (*MIGRATIONS, step, "CREATE TABLE half(x);")) == 1
    assert conn.execute("SELECT kind, detail, who FROM notice").fetchall() == [("old", "row", None)]
    assert migrate(conn, path, (*MIGRATIONS, step, "CREATE TABLE half(x);")) == 0


def test_a_reader_sees_what_is_committed_and_cannot_write(path: Path) -> None:
    writer = open_store(path, SITE)
    reader = read_store(path)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO notice(kind, detail) VALUES('a', 'b')")
    assert reader.execute("SELECT count(*) FROM notice").fetchone() == (0,)
    writer.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM notice").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM notice")


def test_gaps_end_where_the_node_ends(path: Path) -> None:
    conn = open_store(path, SITE)
    conn.execute(
        "INSERT INTO session(node, journal, s, first, next, body)"
        " VALUES('outlet', '9f3a01c2', '5be1c07a', 1, 21, '{}')"
    )
    conn.executemany(
        "INSERT INTO gap(node, journal, a, b, since) VALUES('outlet', '9f3a01c2', ?, ?, 7)",
        [(3, 4), (18, 30), (40, 50)],
    )
    assert [(g.a, g.b, g.count, g.since_ms) for g in gaps(conn)] == [(3, 4, 2, 7), (18, 20, 3, 7)]
