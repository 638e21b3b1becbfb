# SPDX-License-Identifier: MIT
"""Drills: what a village does to a gateway, with a real broker, intake and node sessions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway import notify_sign
from kahriz_gateway.backup import backup
from kahriz_gateway.backup.restore import restore
from kahriz_gateway.intake import store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.village import Village
from kahriz_sim.services import Broker
from kahriz_water.plan import parse_plan

from .conftest import NOW_MS, SITE_TOML, Process, TestClock, wait_for
from .drill_node import DrillNode, MakeIntake, counted

NAMES = ("inlet", "middle", "outlet")


@pytest.fixture
def intake_in(tmp_path: Path, clock_file: Path) -> Iterator[MakeIntake]:
    """Start an intake over any folder; what still runs at the end is killed."""
    made: list[Process] = []

    def make(data: Path, port: int) -> Process:
        data.mkdir(exist_ok=True)
        made.append(Process(data, port, clock_file))
        return made[-1].start()

    yield make
    for each in made:
        if each.child is not None and each.child.poll() is None:
            each.kill9()


class Watching:
    """The village over a folder, step by step, with the alarms it has raised."""

    def __init__(self, data: Path) -> None:
        self.clock = TestClock()
        self.plan = parse_plan(SITE_TOML.read_text(encoding="utf-8"))
        self.conn = village_store.open_village(data / "village.db")
        sender = Sender(data / "village.db", self.plan, self.clock, [])
        self._village = Village(self.conn, self.plan, data, self.clock, sender)

    def work(self) -> None:
        """Everything there is to do now; then the gateway's clock has moved on a minute."""
        while self._village.step():
            pass
        self.clock.ms += 60_000

    def open(self) -> set[tuple[str, str]]:
        rows = self.conn.execute("SELECT kind, place FROM alarm WHERE closed IS NULL")
        return {(kind, place) for kind, place in rows}

    def close(self) -> None:
        self._village.close()
        self.conn.close()


@pytest.fixture
def nodes(mosquitto: Broker) -> list[DrillNode]:
    return [DrillNode(mosquitto.port, name) for name in NAMES]


@pytest.mark.needs("mosquitto")
def test_what_last_nights_backup_lacks_comes_from_the_nodes(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake, nodes: list[DrillNode]
) -> None:
    """Nothing lost, nothing doubled, in readings and in values."""
    before = intake_in(tmp_path / "before", mosquitto.port)
    for node in nodes:
        node.measure(120)
        node.deliver()
    village = Watching(tmp_path / "before")
    village.work()
    saved = backup.make(tmp_path / "before", SITE_TOML, tmp_path / "stick", NOW_MS)
    assert saved.rows == 360
    for node in nodes:
        node.measure(60)
        node.deliver()
    before.kill9()
    village.close()

    after = tmp_path / "after"
    _, ident = restore(saved.path, after, NOW_MS)
    intake = intake_in(after, mosquitto.port)
    assert intake.query("SELECT value FROM meta WHERE key='store'") == [(ident,)]
    assert ident != saved.store, "the nodes must see that this is another store"
    for node in nodes:
        node.measure(5)
        node.deliver()
    assert counted(intake) == [(name, 185, 185, 185) for name in NAMES]
    assert intake.query("SELECT count(*) FROM gap") == [(0,)]
    assert intake.query("SELECT count(*) FROM quarantine") == [(0,)]
    village = Watching(after)
    village.work()
    village.work()
    assert ("restored", village.plan.id) in village.open()
    twice = "SELECT count(*), count(DISTINCT ts) FROM reading WHERE node='outlet'"
    assert intake.query(twice) == [(185, 185)]
    village.close()


@pytest.mark.needs("mosquitto")
def test_a_destroyed_card_is_filled_up_from_the_nodes(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake, nodes: list[DrillNode]
) -> None:
    """No backup at all: a new store, and what a node itself no longer has is closed by name."""
    before = intake_in(tmp_path / "before", mosquitto.port)
    for node in nodes:
        node.measure(200)
        node.deliver()
    before.kill9()
    nodes[0].forget_below(41)
    intake = intake_in(tmp_path / "after", mosquitto.port)
    for node in nodes:
        node.deliver()
    assert counted(intake) == [
        ("inlet", 160, 160, 200), ("middle", 200, 200, 200), ("outlet", 200, 200, 200),
    ]  # fmt: skip
    assert intake.query("SELECT node, a, b, reason FROM closed") == [
        ("inlet", 1, 40, "below_first")
    ]
    assert intake.query("SELECT count(*) FROM gap") == [(0,)]


@pytest.mark.needs("mosquitto")
def test_a_wiped_or_replaced_node_begins_a_new_journal_and_a_person_is_told(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake
) -> None:
    intake = intake_in(tmp_path / "data", mosquitto.port)
    node = DrillNode(mosquitto.port, "outlet", "aaaa0001")
    node.measure(24)
    node.deliver()
    node.measure(6)  # measured, never delivered: they go with the old flash
    node.journal.next = len(node.readings) + 1
    old = node.journal.id
    node.wipe("bbbb0002")
    node.measure(12)
    node.deliver()
    assert intake.query("SELECT journal, count(*) FROM reading GROUP BY journal") == [
        (old, 24), ("bbbb0002", 12),
    ]  # fmt: skip
    assert intake.query("SELECT count(*) FROM gap") == [(0,)]
    village = Watching(tmp_path / "data")
    village.work()
    village.work()
    assert ("journal_replaced", "outlet") in village.open()
    assert ("twin", "outlet") not in village.open(), "one change is no twin"
    village.clock.ms += 8 * 86_400_000
    village.work()
    assert ("journal_replaced", "outlet") not in village.open(), "after a week it is history"
    village.close()


@pytest.mark.needs("mosquitto")
def test_two_boards_with_one_name_both_keep_their_readings_and_ring(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake
) -> None:
    intake = intake_in(tmp_path / "data", mosquitto.port)
    twins = [DrillNode(mosquitto.port, "outlet", j) for j in ("aaaa0001", "bbbb0002")]
    for _ in range(2):
        for twin in twins:
            twin.measure(12)
            twin.deliver()
    assert intake.query("SELECT journal, count(*) FROM reading GROUP BY journal") == [
        ("aaaa0001", 24), ("bbbb0002", 24),
    ]  # fmt: skip
    village = Watching(tmp_path / "data")
    village.work()
    village.work()
    assert ("twin", "outlet") in village.open()
    detail = village.conn.execute("SELECT evidence FROM alarm WHERE kind='twin'").fetchone()[0]
    assert "two boards with one node id" in detail
    village.close()


@pytest.mark.needs("mosquitto")
def test_a_second_gateway_is_known_said_in_words_and_an_alarm(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake, nodes: list[DrillNode]
) -> None:
    """The same client id on the same broker: each throws the other out, and both say why."""
    first = intake_in(tmp_path / "first", mosquitto.port)
    nodes[0].measure(12)
    nodes[0].deliver()
    second = intake_in(tmp_path / "second", mosquitto.port)
    for each in (first, second):
        wait_for(lambda each=each: b"a second gateway" in each.log.read_bytes(), "it is told")
        wait_for(
            lambda each=each: (
                each.query("SELECT count(*) FROM notice WHERE kind='second_gateway'") == [(1,)]
            ),
            "it is noted once",
        )
        said = wait_for(
            lambda each=each: (notify_sign.read(each.data, "intake") or {}).get("rival"),
            "the page can read it",
        )
        assert "switch one of the two off" in said
    village = Watching(tmp_path / "first")
    village.work()
    assert ("second_gateway", village.plan.id) in village.open()
    second.stop()
    nodes[0].measure(12)
    nodes[0].deliver()
    wait_for(lambda: counted(first) == [("inlet", 24, 24, 24)], "nothing was lost to the other")
    village.close()


def test_one_gateway_that_starts_again_and_again_is_no_second_one(
    broker: Broker, tmp_path: Path, intake_in: MakeIntake
) -> None:
    intake = intake_in(tmp_path / "data", broker.port)
    for _ in range(3):
        intake.kill9()
        intake.start()
    broker.kill9()
    seen = intake.log.read_bytes().count(b"subscribed")
    broker.restart()
    wait_for(lambda: intake.log.read_bytes().count(b"subscribed") > seen, "intake comes back")
    assert b"second gateway" not in intake.log.read_bytes()
    assert intake.query("SELECT count(*) FROM notice") == [(0,)]


def test_a_store_moved_away_beside_a_living_village_is_read_anew(tmp_path: Path) -> None:
    """A damaged readings.db was moved away: the new one is numbered from 1, and nothing is left."""
    path = tmp_path / "readings.db"
    plan = parse_plan(SITE_TOML.read_text(encoding="utf-8"))

    def fill(rows: int) -> None:
        with contextlib.closing(store.open_store(path, plan.id)) as conn:
            conn.executemany(
                "INSERT INTO reading(node, journal, n, ts, q, received, body)"
                " VALUES('outlet', '9f3a01c2', ?, ?, 1, ?, '{\"weir_distance_m\":0.6}')",
                [(n, NOW_MS - 60_000 * (500 - n), NOW_MS) for n in range(1, rows + 1)],
            )

    fill(50)
    village = Watching(tmp_path)
    village.conn.execute(
        "INSERT INTO deployment(node, channel, point, from_ms, zero_m)"
        " VALUES('outlet', 'weir', 'outlet', 0, 0.8)"
    )
    village.work()
    values = "SELECT count(DISTINCT ts) FROM value"
    assert village.conn.execute(values).fetchone()[0] == 50
    for name in ("readings.db", "readings.db-wal", "readings.db-shm"):
        with contextlib.suppress(FileNotFoundError):
            (tmp_path / name).rename(tmp_path / f"damaged-{name}")
    fill(60)
    village.work()
    assert village.conn.execute(values).fetchone()[0] == 60
    village.close()


@pytest.mark.needs("mosquitto")
def test_a_reader_of_the_backup_finds_the_ledger_whole(
    mosquitto: Broker, tmp_path: Path, intake_in: MakeIntake
) -> None:
    """Taken while a node sends: one moment, in which ledger and rows agree."""
    from kahriz_gateway.intake.ledger_cli import journals

    intake_in(tmp_path / "data", mosquitto.port)
    node = DrillNode(mosquitto.port)
    node.measure(600)
    node.session()
    saved = backup.make(tmp_path / "data", SITE_TOML, tmp_path / "stick", NOW_MS)
    copy = tmp_path / "copy.db"
    copy.write_bytes((saved.path / "readings.db").read_bytes())
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        assert [j.contradiction for j in journals(conn)] == [None]
