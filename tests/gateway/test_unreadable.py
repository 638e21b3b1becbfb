# SPDX-License-Identifier: MIT
"""Stores and plans that cannot be read: every command says so in one line, with the mend."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway.alarms.cli import alarm
from kahriz_gateway.cli import gateway
from kahriz_gateway.config import EXIT_STORE
from kahriz_gateway.intake import store
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan

from .conftest import SITE, SITE_TOML

COMMANDS = (
    "ledger", "records export", "quarantine list", "commands", "quarantine replay --all",
    "gauging list", "reading add --point outlet --staff-cm 12 --who x",
    "total --point outlet --from 2026-01-01 --to 2026-01-02", "recompute --since 2026-01-01",
    "rating fit --point outlet --author x", "zero --point outlet --who x",
    "refill csv --since 2026-01-01", "backup BACKUP",
    "village --broker 127.0.0.1:1 --page 127.0.0.1:0",
)  # fmt: skip
WITHOUT_PLAN = ("ledger", "records export", "quarantine list", "commands")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    store.open_store(folder / "readings.db", SITE).close()
    conn = village_store.open_village(folder / "village.db")
    plan = parse_plan(SITE_TOML.read_text(encoding="utf-8"))
    records.import_records(conn, SITE_TOML.with_name("records.toml"), plan)
    conn.close()
    return folder


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00no store" * 1000)


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 - 100])


def torn(path: Path) -> None:
    """The first page, which all opens look at, is well; what follows is not."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xaa" * (len(content) - 4096))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [garbage, half, torn, folder])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_that_cannot_be_read_is_one_line_and_an_exit_code(
    whole: Path, tmp_path: Path, command: str, damage: Callable[[Path], None]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(whole, data)
    for name in ("readings.db", "village.db"):
        damage(data / name)
    options = ["--data", str(data)]
    if command not in WITHOUT_PLAN:
        options += ["--config", str(SITE_TOML)]
    words = command.replace("BACKUP", str(tmp_path / "backup")).split()
    told = CliRunner().invoke(gateway, [*words, *options])
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    assert told.exit_code == EXIT_STORE, told.output
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("damage", [garbage, half, torn, folder])
def test_the_check_names_both_stores_and_goes_on(
    whole: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(whole, data)
    for name in ("readings.db", "village.db"):
        damage(data / name)
    told = CliRunner().invoke(gateway, ["check", "--config", str(SITE_TOML), "--data", str(data)])
    assert told.exit_code == 1
    failed = [line for line in told.output.splitlines() if line.startswith("FAIL")]
    assert any("readings.db" in line for line in failed), told.output
    assert any("village.db" in line for line in failed), told.output
    assert "itself failed" not in told.output
    assert "pass  plan" in told.output
    listed = CliRunner().invoke(alarm, ["list", "--data", str(data)])
    assert (listed.exit_code, len(listed.stderr.splitlines())) == (EXIT_STORE, 1)


def test_a_store_that_intake_is_just_making_is_not_one_yet(tmp_path: Path) -> None:
    (tmp_path / "readings.db").touch()
    with pytest.raises(store.StoreError, match="empty"):
        store.read_store(tmp_path / "readings.db")


def test_records_and_plans_that_are_no_utf_8_are_refused(whole: Path, tmp_path: Path) -> None:
    plan = tmp_path / "site.toml"
    plan.write_bytes(SITE_TOML.read_bytes() + "\n# café".encode("latin-1"))
    file = tmp_path / "records.toml"
    file.write_bytes("# café".encode("latin-1"))
    for config, code in ((plan, 3), (SITE_TOML, EXIT_STORE)):
        words = ["records", "import", str(file), "--config", str(config), "--data", str(whole)]
        told = CliRunner().invoke(gateway, words)
        assert told.exit_code == code, told.output
        assert "utf-8" in told.stderr.lower()
        assert len(told.stderr.splitlines()) == 1
