# SPDX-License-Identifier: MIT
"""Backups are whole or refused; a restore goes into an empty folder, under a new store id."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway import notify_sign
from kahriz_gateway.backup import backup
from kahriz_gateway.backup.restore import restore
from kahriz_gateway.cli import gateway as command
from kahriz_gateway.intake.store import MIGRATIONS, StoreError, get_meta, read_store
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan

from .conftest import NOW_MS, ROOT, SITE, SITE_TOML, Gateway, rows

STORES = ROOT / "tests" / "data" / "stores"
RECORDS = SITE_TOML.with_name("records.toml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Both stores with something in them."""
    folder = tmp_path / "data"
    gateway = Gateway(folder / "readings.db")
    gateway.hello(1, 25)
    gateway.up(rows(1, 24))
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        records.import_records(conn, RECORDS, parse_plan(SITE_TOML.read_text(encoding="utf-8")))
    return folder


@pytest.fixture
def saved(data: Path, tmp_path: Path) -> Path:
    return backup.make(data, SITE_TOML, tmp_path / "stick", NOW_MS).path


def test_a_backup_holds_everything_and_knows_its_sums(saved: Path) -> None:
    assert saved.name == f"{SITE}-20261118T110640Z"
    found = backup.verify(saved)
    assert set(found.files) == {"readings.db", "village.db", "site.toml", "records.toml"}
    assert (found.site, found.rows, found.made_ms) == (SITE, 24, NOW_MS)
    assert (saved / "site.toml").read_bytes() == SITE_TOML.read_bytes()
    assert "[[deployment]]" in (saved / "records.toml").read_text()
    assert sorted(p.name for p in saved.iterdir()) == sorted([*found.files, "manifest.json"])


def test_a_restored_store_has_all_rows_and_another_id(saved: Path, data: Path) -> None:
    after = data.parent / "after"
    found, ident = restore(saved, after, NOW_MS)
    conn = read_store(after / "readings.db")
    assert conn.execute("SELECT count(*), max(n) FROM reading").fetchone() == (24, 24)
    assert get_meta(conn, "store") == ident != found.store
    assert [kind for (kind,) in conn.execute("SELECT kind FROM notice")] == ["restored"]
    village = village_store.open_village(after / "village.db", True)
    assert village_store.get_state(village, "follows") == ident
    assert records.export_records(village) == (saved / "records.toml").read_text()
    assert (after / "site.toml").read_bytes() == SITE_TOML.read_bytes()
    assert not (after / ".restoring").exists()


def test_a_dry_run_checks_everything_and_writes_nothing(saved: Path, tmp_path: Path) -> None:
    found, ident = restore(saved, tmp_path / "after", NOW_MS, dry_run=True)
    assert (found.rows, ident) == (24, "")
    assert not (tmp_path / "after").exists()
    (saved / "village.db").write_bytes(b"")
    with pytest.raises(StoreError, match="not what was saved"):
        restore(saved, tmp_path / "after", NOW_MS, dry_run=True)


def _cut(saved: Path) -> None:
    body = (saved / "readings.db").read_bytes()
    (saved / "readings.db").write_bytes(body[: len(body) // 2])


def _flip(saved: Path) -> None:
    body = bytearray((saved / "readings.db").read_bytes())
    body[-100] ^= 1
    (saved / "readings.db").write_bytes(body)


def _other_format(saved: Path) -> None:
    about = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps({**about, "format": 99}))


@pytest.mark.parametrize(
    "harm",
    [
        _cut,
        _flip,
        _other_format,
        lambda saved: (saved / "manifest.json").unlink(),
        lambda saved: (saved / "manifest.json").write_text("{"),
        lambda saved: (saved / "records.toml").unlink(),
    ],
)
def test_half_a_backup_is_refused_and_the_folder_stays_empty(
    saved: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(saved)
    with pytest.raises(StoreError):
        restore(saved, tmp_path / "after", NOW_MS)
    assert not (tmp_path / "after").exists()


def test_a_backup_that_breaks_off_leaves_no_backup(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, body: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_write", full)
    with pytest.raises(StoreError, match="nothing half is left there"):
        backup.make(data, SITE_TOML, tmp_path / "stick", NOW_MS)
    assert list((tmp_path / "stick").iterdir()) == []


def test_a_restore_that_broke_off_can_be_done_again(saved: Path, tmp_path: Path) -> None:
    """Killed after village.db had its place: without readings.db the folder counts as empty."""
    after = tmp_path / "after"
    (after / ".restoring").mkdir(parents=True)
    (after / ".restoring" / "readings.db").write_bytes(b"half")
    (after / "village.db").write_bytes(b"half")
    restore(saved, after, NOW_MS)
    assert get_meta(read_store(after / "readings.db"), "site") == SITE


def test_a_folder_with_a_store_or_a_living_intake_is_refused(
    saved: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="never throw them away"):
        restore(saved, data, NOW_MS)
    empty = tmp_path / "empty"
    empty.mkdir()
    lock = notify_sign.take_lock(empty)
    assert lock is not None
    with lock, pytest.raises(StoreError, match="an intake works in"):
        restore(saved, empty, NOW_MS)


def test_a_backup_beside_the_stores_is_refused(data: Path) -> None:
    with pytest.raises(StoreError, match="another disk"):
        backup.make(data, SITE_TOML, data, NOW_MS)


def test_old_backups_go_and_strange_folders_stay(data: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / f"{SITE}-holiday-pictures").mkdir(parents=True)
    made = [backup.make(data, SITE_TOML, stick, NOW_MS + day * 86_400_000, 2) for day in range(4)]
    assert backup.listed(stick, SITE) == [each.path for each in made[2:]]
    assert (stick / f"{SITE}-holiday-pictures").is_dir()


def test_the_stores_of_an_older_version_are_saved_as_they_are_and_restored_as_todays(
    tmp_path: Path,
) -> None:
    data = tmp_path / "old"
    data.mkdir()
    for name in ("readings", "village"):
        shutil.copyfile(STORES / f"{name}-v1.db", data / f"{name}.db")
    saved = backup.make(data, SITE_TOML, tmp_path / "stick", NOW_MS)
    with backup.looking(saved.path / "readings.db") as conn:
        assert get_meta(conn, "schema") == "1"
    restore(saved.path, tmp_path / "after", NOW_MS)
    conn = read_store(tmp_path / "after" / "readings.db")
    assert get_meta(conn, "schema") == str(len(MIGRATIONS))
    assert conn.execute("SELECT count(*) FROM reading").fetchone() == (22,)
    village = village_store.open_village(tmp_path / "after" / "village.db", True)
    assert village.execute("SELECT count(*) FROM alarm").fetchone()[0] == 1


def test_what_was_about_to_be_sent_says_that_it_may_be_a_repeat(data: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / "village.db")) as conn:
        conn.executescript(
            "INSERT INTO alarm(id, kind, place, state, raised, stored, evidence)"
            " VALUES(1, 'leak', 'upper', 'raised', 1, 1, '{}');"
            "INSERT INTO alarm_event(id, alarm, at, what) VALUES(1, 1, 1, 'raised');"
            "INSERT INTO delivery(alarm_event, channel, state) VALUES(1, 'log', 'pending');"
        )
    saved = backup.make(data, SITE_TOML, tmp_path / "stick", NOW_MS)
    restore(saved.path, tmp_path / "after", NOW_MS)
    village = village_store.open_village(tmp_path / "after" / "village.db", True)
    assert [row["state"] for row in village.execute("SELECT state FROM delivery")] == ["trying"]


def test_the_commands_say_what_they_did_and_refuse_in_one_line(data: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    stick, after = str(tmp_path / "stick"), str(tmp_path / "after")
    made = run(command, ["backup", stick, "--config", str(SITE_TOML), "--data", str(data)])
    assert made.exit_code == 0, made.output
    assert "24 readings" in made.output
    folder = made.output.partition(":")[0]
    dry = run(command, ["restore", folder, "--data", after, "--dry-run"])
    assert "Nothing was written" in dry.output
    assert not Path(after).exists()
    done = run(command, ["restore", folder, "--data", after])
    assert (done.exit_code, "restored into" in done.output) == (0, True)
    again = run(command, ["restore", folder, "--data", after])
    assert (again.exit_code, again.output.count("\n")) == (4, 1)
    shutil.rmtree(data)
    gone = run(command, ["backup", stick, "--config", str(SITE_TOML), "--data", str(data)])
    assert (gone.exit_code, "no store in" in gone.output) == (4, True)
