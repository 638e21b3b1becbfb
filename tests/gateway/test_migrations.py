# SPDX-License-Identifier: MIT
"""Stores that released versions wrote open with today's program, and lose nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from kahriz_gateway.intake import store
from kahriz_gateway.intake.ledger_cli import journals
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import changed_since, pruned_upto

from .conftest import ROOT, SITE, Gateway

STORES = ROOT / "tests" / "data" / "stores"
READINGS = sorted(STORES.glob("readings-v*.db"))
VILLAGES = sorted(STORES.glob("village-v*.db"))


def copied(path: Path, to: Path, name: str) -> Path:
    shutil.copyfile(path, to / name)
    return to / name


def columns(conn: sqlite3.Connection) -> dict[str, list[tuple[str, str]]]:
    """Every table of ours with its columns and their types."""
    ours = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    names = [row[0] for row in conn.execute(ours)]
    return {
        name: sorted((row[1], row[2]) for row in conn.execute(f"PRAGMA table_info({name})"))
        for name in sorted(names)
    }


def test_a_store_of_every_released_schema_is_here() -> None:
    """make.py writes one at each release; a step after it is still being made."""
    for found, stem, steps in (
        (READINGS, "readings", store.MIGRATIONS),
        (VILLAGES, "village", village_store.MIGRATIONS),
    ):
        assert len(steps) - 1 <= len(found) <= len(steps)
        assert [p.stem for p in found] == [f"{stem}-v{n}" for n in range(1, len(found) + 1)]


@pytest.mark.parametrize("path", READINGS, ids=lambda p: p.stem)
def test_readings_of_an_older_version_are_all_there(path: Path, tmp_path: Path) -> None:
    conn = store.open_store(copied(path, tmp_path, "readings.db"), SITE)
    assert store.get_meta(conn, "schema") == str(len(store.MIGRATIONS))
    assert store.get_meta(conn, "store") == "c41d0001", "the same store: nodes offer nothing again"
    rows = conn.execute(
        "SELECT node, count(*), sum(times) FROM reading GROUP BY node ORDER BY node"
    )
    assert rows.fetchall() == [("middle", 1, 1), ("outlet", 21, 25)]
    assert conn.execute(
        "SELECT n, ts, tq, q, body FROM reading WHERE node='middle'"
    ).fetchall() == [(1, None, "unk", 9, '{"weir_fault":"timeout"}')]
    first = conn.execute("SELECT body FROM reading WHERE node='outlet' AND n=5").fetchone()[0]
    assert json.loads(first) == {"weir_distance_m": pytest.approx(0.6005), "air_c": 14.5}
    found = {(j.node, j.journal): j for j in journals(conn)}
    assert all(j.contradiction is None for j in found.values())
    gaps = [(g.a, g.b) for g in found["outlet", "9f3a01c2"].missing]
    assert gaps == [(15, 20), (32, 40)]
    assert dict(found["outlet", "9f3a01c2"].closed) == {"below_first": 4}
    assert dict(found["middle", "aaaa0001"].closed) == {"replaced": 1}
    assert conn.execute("SELECT count(*) FROM quarantine").fetchone() == (2,)
    assert conn.execute("SELECT kind FROM notice").fetchall() == [("journal_replaced",)]
    fresh = store.open_store(tmp_path / "fresh.db", SITE)
    assert columns(conn) == columns(fresh), "migrated and new stores are alike"


@pytest.mark.parametrize("path", READINGS, ids=lambda p: p.stem)
def test_a_node_goes_on_where_the_older_version_left_it(path: Path, tmp_path: Path) -> None:
    gateway = Gateway(copied(path, tmp_path, "readings.db"))
    receipt = gateway.tell("hello", b'{"s":"00000001","journal":"9f3a01c2","first":5,"next":41}')
    assert receipt is not None
    assert (receipt.upto, receipt.missing) == (40, [[15, 20], [32, 40]])


@pytest.mark.parametrize("path", VILLAGES, ids=lambda p: p.stem)
def test_a_village_of_an_older_version_is_all_there(path: Path, tmp_path: Path) -> None:
    conn = village_store.open_village(copied(path, tmp_path, "village.db"))
    version = conn.execute("PRAGMA user_version").fetchone()[0]
    assert version == len(village_store.MIGRATIONS)
    points = {row["point"] for row in conn.execute("SELECT point FROM deployment")}
    assert points >= {"outlet", "middle", "inlet", "pool"}
    value = village_store.last_value(conn, "outlet", "discharge_lps")
    assert value is not None
    assert (value.value, value.u, value.q) == (12.1, 0.9, 1)
    assert conn.execute("SELECT max(rev) FROM changed").fetchone()[0] == 12
    alarm = conn.execute("SELECT kind, place, state, lps FROM alarm").fetchone()
    assert tuple(alarm) == ("leak", "upper", "notified", 2.1)
    assert village_store.get_cursor(conn, "village") == 21
    fresh = village_store.open_village(tmp_path / "fresh.db")
    assert columns(conn) == columns(fresh), "migrated and new stores are alike"


def test_of_the_changes_of_an_older_version_those_stay_that_an_output_has_not_been_told(
    tmp_path: Path,
) -> None:
    path = copied(STORES / "village-v3.db", tmp_path, "village.db")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("INSERT INTO cursor VALUES('influx', 9), ('csv', 12), ('influx:alarm', 0)")
    with contextlib.closing(village_store.open_village(path)) as conn:
        assert pruned_upto(conn) == 9
        mark, spans = changed_since(conn, 9, 100)
        assert (mark, len(spans)) == (12, 3)


def test_the_mechanism_takes_a_planted_store_from_0_to_1_and_keeps_its_rows(tmp_path: Path) -> None:
    """Both mechanisms, with a schema that never was: each step whole, in order, once."""
    steps = (
        "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL); CREATE TABLE old(x);",
        "ALTER TABLE old ADD COLUMN y; UPDATE old SET y = x * 2;",
    )
    for migrate, planted in (
        (store.migrate, steps[0] + "INSERT INTO meta VALUES('schema', '1');"),
        (village_store.migrate, steps[0] + "PRAGMA user_version=1;"),
    ):
        path = tmp_path / f"{migrate.__module__}.db"
        conn = sqlite3.connect(path, isolation_level=None)
        assert migrate(conn, path, ()) == 0
        conn.executescript(planted + "INSERT INTO old VALUES(21);")
        with pytest.raises(sqlite3.OperationalError):
            migrate(conn, path, (steps[0], steps[1] + "DROP TABLE nowhere;"))
        assert [row[1] for row in conn.execute("PRAGMA table_info(old)")] == ["x"], "whole or not"
        assert migrate(conn, path, steps) == 1
        assert conn.execute("SELECT x, y FROM old").fetchall() == [(21, 42)]
        assert migrate(conn, path, steps) == 0
        with pytest.raises(StoreError, match="newer Kahriz Monitor"):
            migrate(conn, path, steps[:1])
