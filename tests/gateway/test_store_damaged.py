# SPDX-License-Identifier: MIT
"""Pages of a store that are none any more, as a dying SD card leaves them, while all else works."""

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.service.notify import Notifier
from kahriz_gateway import notify_sign
from kahriz_gateway.config import EXIT_STORE, Options
from kahriz_gateway.village.loop import Loop
from kahriz_gateway.village.store import open_village
from kahriz_wire import outgoing, topics
from kahriz_wire.messages import Hello, decode_receipt, encode_hello, encode_rows

from .conftest import NOW_MS, PATIENCE_S, SITE, SITE_TOML, Gateway, TestClock, rows, wait_for
from .test_intake_trouble import JOURNAL, Bench

PAGE_BYTES = 4096
WHOLE_PAGES = 24  # the tables' first pages: it opens as if nothing were


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of 4,000 readings."""
    path = tmp_path / "readings.db"
    gateway = Gateway(path)
    gateway.hello(1, 2)
    topic = topics.up(SITE, "outlet", JOURNAL)
    gateway.conn.execute("BEGIN")
    for first in range(1, 4001, 50):
        span = range(first, first + 50)
        some = [outgoing.row_text(n, 1, [("a_m", "1.25")], NOW_MS - 10**9 + n) for n in span]
        gateway.accept.message(topic, outgoing.up(some))
    gateway.accept.books.save(None)
    gateway.conn.execute("COMMIT")
    gateway.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    gateway.conn.close()
    return path


def damage(path: Path, first: int) -> Path:
    """No page from this one on can be read."""
    pages = path.stat().st_size // PAGE_BYTES
    assert pages > 2 * WHOLE_PAGES
    with path.open("r+b") as file:
        file.seek(first * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES * (pages - first))
    return path


@pytest.fixture
def bench(store: Path) -> Iterator[Bench]:
    made = Bench(store)
    yield made
    made.end()


def test_a_damaged_store_is_trouble_and_no_message_is_blamed_for_it(
    bench: Bench, store: Path
) -> None:
    damaged = damage(store, WHOLE_PAGES)
    bench.thread.start()
    bench.arrive("hello", encode_hello(Hello("5be1c07b", JOURNAL, 1, 4013)))
    bench.arrive(f"up/{JOURNAL}", encode_rows(rows(4001, 4012)))
    topic, status = bench.ear.said.get(timeout=PATIENCE_S)
    assert topic == "status", "no receipt for what is not stored"
    assert b"move it away" in status
    for name in (damaged.name, f"{damaged.name}-wal", f"{damaged.name}-shm"):
        damaged.with_name(name).rename(damaged.with_name(f"away-{name}"))
    wait_for(lambda: bench.intake.trouble is None, "the advice was followed: storing again")
    while topic != f"kahriz/v1/{SITE}/outlet/receipt":
        topic, body = bench.ear.said.get(timeout=PATIENCE_S)
    assert decode_receipt(body).missing == [[1, 4000]]
    kept = sqlite3.connect(damaged.with_name(f"away-{damaged.name}"))
    assert kept.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)


@pytest.mark.parametrize("first", [1, WHOLE_PAGES])
def test_a_store_that_is_damaged_at_the_start_is_said_in_one_line(store: Path, first: int) -> None:
    damage(store, first)
    argv = [sys.executable, "-m", "kahriz_gateway.intake.service"]
    options = Options(config=SITE_TOML, data=store.parent)
    ended = subprocess.run([*argv, *options.argv()], capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_STORE
    assert re.fullmatch(r"intake: .*readings\.db is damaged .*\n", ended.stderr)


class Reader:
    """What the village does at each step, on a store that is damaged."""

    def __init__(self, path: Path, stop: threading.Event) -> None:
        self.path, self.stop = path, stop

    def step(self) -> bool:
        with sqlite3.connect(self.path) as conn:
            try:
                return conn.execute("SELECT sum(length(body)) FROM reading").fetchone() is None
            finally:
                self.stop.set()

    def close(self) -> None:
        pass


def test_the_village_says_it_and_its_page_goes_on(store: Path) -> None:
    damaged = damage(store, WHOLE_PAGES)
    stop = threading.Event()
    loop = Loop(lambda: Reader(damaged, stop), damaged.parent, TestClock(), Notifier({}))
    loop.run(stop)
    said = notify_sign.read(damaged.parent, "village") or {}
    assert "malformed" in said["trouble"]


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b", "su dəftəri"])
def test_the_readers_of_a_village_find_it_in_a_folder_of_any_name(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name / "village.db"
    path.parent.mkdir()
    with open_village(path) as conn:
        conn.execute("INSERT INTO cursor(name, rev) VALUES('x', 7)")
    reader = open_village(path, read_only=True)
    assert tuple(reader.execute("SELECT rev FROM cursor WHERE name='x'").fetchone()) == (7,)
    reader.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]
