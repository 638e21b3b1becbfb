# SPDX-License-Identifier: MIT
"""A store that is just being made: whoever looks meets none, an empty one or a whole one."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_alarms.loop import store as loop_store
from kahriz_gateway.alarms import turns
from kahriz_gateway.alarms.cli import alarm
from kahriz_gateway.backup import backup
from kahriz_gateway.cli import gateway
from kahriz_gateway.committee import book
from kahriz_gateway.config import EXIT_STORE
from kahriz_gateway.intake import store
from kahriz_gateway.page import stores
from kahriz_gateway.village import store as village_store
from kahriz_server.watch import store as office
from kahriz_water.plan import parse_plan

from .conftest import SITE, SITE_TOML

Connection = sqlite3.Connection
MAKERS = 4


def make_readings(folder: Path) -> Connection:
    return store.open_store(folder / "readings.db", SITE)


def make_village(folder: Path) -> Connection:
    return village_store.open_village(folder / "village.db")


MAKE: dict[str, Callable[[Path], Connection]] = {
    "readings.db": make_readings,
    "village.db": make_village,
    "committee.db": book.open_book,
    "office.db": office.open_office,
}
LOOK: dict[str, Callable[[Path], Connection]] = {
    "readings.db": lambda folder: store.read_store(folder / "readings.db"),
    "village.db": lambda folder: village_store.open_village(folder / "village.db", read_only=True),
}
STEPS: dict[str, Callable[[Connection, Path], int]] = {
    "readings.db": store.migrate,
    "village.db": village_store.migrate,
}


def tables(conn: Connection) -> set[str]:
    return {name for (name,) in map(tuple, conn.execute("SELECT name FROM sqlite_master"))}


@pytest.mark.parametrize("name", LOOK)
def test_at_every_statement_of_its_making_a_store_is_empty_for_whoever_looks(
    name: str, tmp_path: Path
) -> None:
    seen: list[str] = []

    def looks(_statement: str) -> None:
        what = "something else"  # what a trace raises is lost
        try:
            with contextlib.closing(LOOK[name](tmp_path)):
                what = "whole"
        except store.EmptyStoreError as error:
            what = str(error)
        finally:
            seen.append(what)

    conn = sqlite3.connect(tmp_path / name, isolation_level=None)
    loop_store.write_ahead(conn)
    conn.set_trace_callback(looks)
    STEPS[name](conn, tmp_path / name)
    conn.set_trace_callback(None)
    assert len(seen) > 20
    *while_made, last = seen  # the last statement asks what stands
    assert all(f"{name} is empty: " in what for what in while_made), seen
    assert "is empty" not in last or name == "readings.db", "a site is still to be written there"
    conn.close()
    with contextlib.closing(MAKE[name](tmp_path)), contextlib.closing(LOOK[name](tmp_path)):
        pass


@pytest.mark.parametrize("name", STEPS)
def test_a_maker_that_is_killed_at_any_statement_leaves_a_store_that_the_next_makes_whole(
    name: str, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    with contextlib.closing(MAKE[name](whole)) as conn:
        expected = tables(conn)
    made = tmp_path / "made"
    made.mkdir()
    left: list[Path] = []

    def leave(_statement: str) -> None:
        left.append(tmp_path / f"left{len(left)}")
        shutil.copytree(made, left[-1])  # what the disk holds, and no process has it open

    conn = sqlite3.connect(made / name, isolation_level=None)
    conn.set_trace_callback(leave)
    loop_store.write_ahead(conn)
    STEPS[name](conn, made / name)
    conn.close()
    for folder in left[::3]:
        with contextlib.closing(MAKE[name](folder)) as conn:
            assert tables(conn) == expected, folder


@pytest.mark.parametrize("name", MAKE)
def test_programs_that_make_a_store_at_once_make_the_same_one(name: str, tmp_path: Path) -> None:
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        together = threading.Barrier(MAKERS)

        def make(folder: Path, together: threading.Barrier) -> object:
            together.wait()
            with contextlib.closing(MAKE[name](folder)) as conn:
                own = store.get_meta(conn, "store") if name == "readings.db" else None
                return own, frozenset(tables(conn))

        with ThreadPoolExecutor(MAKERS) as makers:
            begun = [makers.submit(make, folder, together) for _ in range(MAKERS)]
        assert len({one.result() for one in begun}) == 1


def test_who_makes_a_store_waits_for_another_who_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "village.db"
    tries = threading.Semaphore(0)

    def wait() -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as conn:
            conn.set_trace_callback(lambda _statement: tries.release())
            loop_store.write_ahead(conn)

    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as maker,
    ):
        other.execute("BEGIN IMMEDIATE")
        begun = maker.submit(wait)
        assert all(tries.acquire(timeout=30) for _ in range(2)), "it does not try again"
        other.execute("ROLLBACK")
        begun.result()


@pytest.mark.parametrize("name", STEPS)
def test_a_disk_that_fills_up_in_the_making_leaves_an_empty_store(
    name: str, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as conn:
        loop_store.write_ahead(conn)
        conn.execute("PRAGMA max_page_count=6")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            STEPS[name](conn, tmp_path / name)
        with pytest.raises(store.EmptyStoreError):
            LOOK[name](tmp_path)
    with contextlib.closing(MAKE[name](tmp_path)), contextlib.closing(LOOK[name](tmp_path)):
        pass


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A folder whose stores were begun and not made."""
    for name in MAKE:
        with contextlib.closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as conn:
            loop_store.write_ahead(conn)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    ["ledger", "records export", "quarantine list", "commands", "backup BACKUP"],
)
def test_a_command_that_looks_at_an_empty_store_says_so_in_one_line(
    cut_off: Path, command: str
) -> None:
    words = command.replace("BACKUP", str(cut_off / "backup")).split()
    plan = ["--config", str(SITE_TOML)] if words[0] == "backup" else []
    told = CliRunner().invoke(gateway, [*words, "--data", str(cut_off), *plan])
    assert told.exit_code == EXIT_STORE, told.output
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert "is empty: " in told.stderr
    with contextlib.closing(sqlite3.connect(cut_off / "readings.db")) as conn:
        assert tables(conn) == set(), "a command has made a store that belongs to nobody"


def test_alarms_of_an_empty_store_are_refused_and_not_called_none(cut_off: Path) -> None:
    told = CliRunner().invoke(alarm, ["list", "--data", str(cut_off)])
    assert (told.exit_code, told.stdout) == (EXIT_STORE, "")
    assert "the village makes it whole" in told.stderr


def test_a_look_at_who_has_a_pin_makes_no_book_and_says_so(tmp_path: Path) -> None:
    told = CliRunner().invoke(gateway, ["pin", "list", "--data", str(tmp_path)])
    assert told.exit_code == EXIT_STORE
    assert told.output.startswith(f"gateway: no {book.FILE} in {tmp_path}: ")
    assert list(tmp_path.iterdir()) == []
    book.open_book(tmp_path).close()
    told = CliRunner().invoke(gateway, ["pin", "list", "--data", str(tmp_path)])
    assert (told.exit_code, told.output) == (0, "nobody has a PIN\n")


def test_the_check_takes_empty_stores_for_none(cut_off: Path) -> None:
    options = ["--config", str(SITE_TOML), "--data", str(cut_off)]
    told = CliRunner().invoke(gateway, ["check", *options])
    assert "not made yet; intake makes it" in told.output
    assert "no deployment of" in told.output
    assert "cannot be read" not in told.output
    assert "itself failed" not in told.output


def test_the_page_takes_empty_stores_for_none(cut_off: Path) -> None:
    for open_store in (stores.village, stores.readings):
        with pytest.raises(stores.UnreadableStoreError) as refusal, open_store(cut_off):
            pass
        assert refusal.value.absent


def test_an_empty_book_holds_no_turns(cut_off: Path) -> None:
    plan = parse_plan(SITE_TOML.read_text(encoding="utf-8"))
    with pytest.raises(book.EmptyBookError, match="is empty"):
        book.look(cut_off)
    with contextlib.closing(make_village(cut_off)) as conn:
        assert turns.planned(conn, "upper", plan, 0) is None


def test_a_backup_leaves_out_what_is_empty(cut_off: Path) -> None:
    make_readings(cut_off).close()
    found = backup.make(cut_off, SITE_TOML, cut_off / "backup", 1_764_003_600_000)
    assert set(found.files) == {"readings.db", "site.toml"}
