# SPDX-License-Identifier: MIT
"""The audit counts what a hand has planted: rows lost, doubled, delivered again, still owed."""

import binascii
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from littlefs import LittleFS

from kahriz_gateway.intake.store import open_store
from kahriz_node import records
from kahriz_node.journal import Journal
from kahriz_sim import kept
from kahriz_sim.audit import Audit, audit
from kahriz_sim.demo import alarms_of
from kahriz_sim.errors import ConfigError
from kahriz_sim.world_log import WorldLog

START_MS = 1_746_057_600_000
DT_MS = 300_000
LAYOUT = records.Layout([("loop", ["current_ma"])])
JOURNAL = "9f3a01c2"


def t_of(n: int) -> int:
    return START_MS + n * DT_MS


class Folder:
    """A data folder as a run leaves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = open_store(path / "readings.db", "banovshalar-gozlu")
        self.store = self.db.execute("SELECT value FROM meta WHERE key='store'").fetchone()[0]
        self.log = WorldLog(path)

    def measure(self, node: str, count: int) -> None:
        for n in range(1, count + 1):
            wake = self.log.next_wake(node)
            for device in ("ultrasonic", "air"):
                sample = {"node": node, "wake": wake, "t": t_of(n), "device": device, "truth": {}}
                self.log.write(sample)

    def store_row(self, node: str, n: int, ts: int | None = None, times: int = 1) -> None:
        self.db.execute(
            "INSERT INTO reading(node, journal, n, ts, q, times, body) VALUES(?,?,?,?,1,?,'{}')",
            (node, JOURNAL, n, t_of(n) if ts is None else ts, times),
        )
        self.db.commit()

    def flash(self, node: str, numbers: int, receipted: int, store: str | None = None) -> None:
        """A flash file whose journal holds 1..numbers, receipted up to a number."""
        root = self.path / "unpacked" / node
        root.mkdir(parents=True)
        journal: Any = Journal(str(root), LAYOUT, lambda: JOURNAL)
        for n in range(1, numbers + 1):
            stamp = records.Stamp(t_of(n) // 1000, records.SYNCED)
            journal.append(stamp, 1, {"loop": {"current_ma": 12_000}})
        body = json.dumps([store or self.store, receipted, []]).encode()
        (root / JOURNAL / "mark").write_bytes(b"%08x" % binascii.crc32(body) + body)
        fs = LittleFS(block_size=4096, block_count=384, read_size=32, prog_size=32)
        fs.makedirs(f"/journal.2/{JOURNAL}")
        for file in (root / JOURNAL).iterdir():
            with fs.open(f"/journal.2/{JOURNAL}/{file.name}", "wb") as target:
                target.write(file.read_bytes())
        (self.path / "flash").mkdir(exist_ok=True)
        (self.path / "flash" / f"{node}.lfs").write_bytes(fs.context.buffer)

    def count(self) -> Audit:
        return audit(self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_run_in_which_all_arrived(folder: Folder) -> None:
    folder.measure("pool", 20)
    for n in range(1, 21):
        folder.store_row("pool", n, t_of(n) + 800)
    assert folder.count() == Audit(20, 20, 0, 0, 0, 0)


def test_three_rows_taken_away_are_missing_though_the_flash_still_has_them(folder: Folder) -> None:
    folder.measure("pool", 20)
    for n in range(1, 21):
        folder.store_row("pool", n)
    folder.flash("pool", 20, receipted=20)
    folder.db.execute("DELETE FROM reading WHERE n IN (3, 4, 17)")
    folder.db.commit()
    found = folder.count()
    assert (found.stored, found.pending, found.missing) == (17, 0, 3)
    assert found.lost == (("pool", t_of(3)), ("pool", t_of(4)), ("pool", t_of(17)))


def test_two_rows_added_are_duplicates(folder: Folder) -> None:
    folder.measure("pool", 20)
    for n in range(1, 21):
        folder.store_row("pool", n)
    folder.store_row("pool", 1001, t_of(5))
    folder.store_row("pool", 1002, t_of(9) + 30_000)
    found = folder.count()
    assert (found.stored, found.missing, found.duplicates) == (20, 0, 2)


def test_rows_that_came_again_are_counted_once_each_time(folder: Folder) -> None:
    folder.measure("pool", 3)
    for n, times in ((1, 1), (2, 3), (3, 2)):
        folder.store_row("pool", n, times=times)
    assert folder.count().redelivered == 3


def test_what_the_node_still_owes_is_pending(folder: Folder) -> None:
    folder.measure("pool", 20)
    folder.measure("outlet", 5)
    for n in range(1, 13):
        folder.store_row("pool", n)
    folder.flash("pool", 19, receipted=12)
    folder.flash("outlet", 5, receipted=0)
    found = folder.count()
    assert (found.measured, found.stored, found.pending, found.missing) == (25, 12, 12, 1)
    assert found.lost == (("pool", t_of(20)),)


def test_to_another_store_a_node_owes_all_it_has(folder: Folder) -> None:
    folder.measure("pool", 10)
    folder.flash("pool", 10, receipted=10, store="0badcafe")
    assert folder.count().pending == 10


def test_a_reading_cut_off_with_its_power_is_told_apart(folder: Folder) -> None:
    folder.measure("pool", 5)
    for n in range(1, 4):
        folder.store_row("pool", n)
    folder.log.write({"event": "cut", "node": "pool", "wake": 3, "t": t_of(3)})
    folder.log.write({"event": "cut", "node": "pool", "wake": 5, "t": t_of(5)})
    found = folder.count()
    assert (found.stored, found.cut_short, found.missing) == (3, 1, 1)
    assert found.lost == (("pool", t_of(4)),)


def test_a_torn_last_line_of_the_log_is_no_reading(folder: Folder) -> None:
    folder.measure("pool", 2)
    with (folder.path / "world.jsonl").open("a") as file:
        file.write('{"node":"pool","wa')
    assert folder.count().measured == 2


def test_a_flash_file_that_cannot_be_read_is_said(folder: Folder) -> None:
    folder.measure("pool", 2)
    (folder.path / "flash").mkdir()
    (folder.path / "flash" / "pool.lfs").write_bytes(b"\xff" * 4096 * 384)
    with pytest.raises(ConfigError, match=r"pool\.lfs: the flash file cannot be read"):
        folder.count()


def test_a_folder_without_a_gateway_has_stored_nothing(tmp_path: Path) -> None:
    log = WorldLog(tmp_path)
    log.write({"node": "pool", "wake": 1, "t": START_MS, "device": "loop", "truth": {}})
    assert audit(tmp_path) == Audit(1, 0, 0, 1, 0, 0, 0, (("pool", START_MS),))


def test_a_gateway_that_was_killed_while_it_made_its_stores_has_stored_nothing(
    tmp_path: Path,
) -> None:
    log = WorldLog(tmp_path)
    log.write({"node": "pool", "wake": 1, "t": START_MS, "device": "loop", "truth": {}})
    for name in ("readings.db", "village.db"):
        with sqlite3.connect(tmp_path / name) as db:
            db.execute("PRAGMA journal_mode=WAL")
    assert audit(tmp_path) == Audit(1, 0, 0, 1, 0, 0, 0, (("pool", START_MS),))
    assert alarms_of(tmp_path) == []


def test_a_store_of_which_a_table_is_another_is_no_empty_one(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "readings.db") as db:
        db.execute("CREATE TABLE reading(other)")
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        audit(tmp_path)


def test_a_small_file_is_never_half(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    kept.put(path, "old")
    with path.open() as reader:
        kept.put(path, "new")
        assert reader.read() == "old", "the file in its place was written over"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
