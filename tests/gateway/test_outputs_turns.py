# SPDX-License-Identifier: MIT
"""Turns for the office: each plot's m³ once it is over, told again when it changes, no names."""

from __future__ import annotations

import contextlib
import io
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.outputs import refill
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx_lines import TurnMark, turn_lines
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_water.turns import Plot, Rota
from kahriz_water.value import Value

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
ROOT = Path(__file__).parents[2]
KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import store
from tests.gateway.test_outputs_turns import Office
class Database(Office):
    batches = 0
    def write_turns(self, marks):
        if self.batches == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        pickle.dump(list(marks), sys.stdout.buffer)
        sys.stdout.flush()
        self.batches += 1
        if self.batches == 2:
            os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
Follower("influx", Database(), folder).step(store.open_village(folder / "village.db"))
"""
HOUR = 3_600_000
T0 = 1_764_000_000_000
ROTA = Rota(T0, (Plot("A1", 120), Plot("-", 60), Plot("B2", 60)), 10.0)
A_TURN_M3 = 10.0 * 7200 / 1000


class Office:
    """A database that merges what is written twice, as InfluxDB does."""

    def __init__(self) -> None:
        self.points = {point.id: point for point in PLAN.points}
        self.kept: dict[tuple[str, int], TurnMark] = {}

    def write(self, values: Sequence[Value]) -> None:
        pass

    def write_turns(self, marks: Iterable[TurnMark]) -> None:
        self.kept |= {(mark.plot, (mark.ts - T0) // HOUR): mark for mark in marks}

    def m3(self) -> dict[tuple[str, int], float | None]:
        """What a panel shows: plot and hour of its turns."""
        return {k: m.m3 and round(m.m3, 1) for k, m in sorted(self.kept.items()) if m.q < 4}


class Village:
    """A store with water at the outlet, a book, and what is told of both."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.office = folder, Office()
        self.conn = village_store.open_village(folder / "village.db")
        self.enter("rota", turn_book.body_of(ROTA, "outlet"))

    def enter(self, kind: str, body: dict[str, object], replaces: int | None = None) -> int:
        with contextlib.closing(book.open_book(self.folder)) as conn:
            return book.write(conn, T0, "R. Quliyev", "committee", kind, body, replaces)

    def correct(self, plot: str, start: float, end: float, replaces: int | None = None) -> int:
        body = {"plot": plot, "start_ms": T0 + int(start * HOUR), "end_ms": T0 + int(end * HOUR)}
        return self.enter("correction", body, replaces)

    def water(self, start: float, end: float, lps: float = 10.0) -> None:
        moments = range(T0 + int(start * HOUR), T0 + int(end * HOUR), 300_000)
        with village_store.transaction(self.conn):
            made = [Value("outlet", "discharge_lps", ts, lps, 0.5, 1) for ts in moments]
            village_store.put_values(self.conn, made)

    def tell(self) -> dict[tuple[str, int], float | None]:
        follower = Follower("influx", self.office, self.folder)
        for _ in range(1000):
            if not follower.step(self.conn):
                return self.office.m3()
        raise AssertionError("it never ends")


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    made = Village(tmp_path)
    yield made
    made.conn.close()


def test_a_turn_is_told_when_it_is_over_and_not_before(village: Village) -> None:
    village.water(0, 1.9)
    assert village.tell() == {}
    village.water(1.9, 4.1)
    assert village.tell() == {("A1", 0): A_TURN_M3, ("B2", 3): 36.0}
    mark = village.office.kept["A1", 0]
    assert (mark.minutes, mark.q, mark.coverage) == (120.0, 1, 1.0)


def test_late_readings_and_a_new_rating_change_the_turn_that_was_told(village: Village) -> None:
    village.water(0, 1)
    village.water(2, 4.1)
    village.tell()
    assert (village.office.kept["A1", 0].q, village.office.kept["A1", 0].coverage) == (3, 0.5)
    village.water(1, 2)
    assert village.tell()["A1", 0] == A_TURN_M3
    village.water(0, 2, lps=5.0)
    assert village.tell()["A1", 0] == A_TURN_M3 / 2


def test_a_turn_without_one_reading_has_no_number(village: Village) -> None:
    village.water(2.5, 4.1)
    assert village.tell() == {("B2", 3): 36.0}
    assert (village.office.kept["A1", 0].q, village.office.kept["A1", 0].m3) == (9, None)


def test_a_correction_moves_the_water_and_taking_it_back_moves_it_back(village: Village) -> None:
    village.water(0, 8.2)
    planned = village.tell()
    assert planned == {("A1", 0): 72.0, ("A1", 4): 72.0, ("B2", 3): 36.0, ("B2", 7): 36.0}
    wrong = village.correct("B2", 1, 2)
    cut = {("A1", 0): 36.0, ("A1", 4): 72.0, ("B2", 1): 36.0, ("B2", 3): 36.0, ("B2", 7): 36.0}
    assert village.tell() == cut
    village.correct("", 4, 6)  # nobody had it
    assert ("A1", 4) not in village.tell()
    village.enter("correction", {"plot": "-", "start_ms": T0, "end_ms": T0 + 1}, replaces=wrong)
    assert ("B2", 1) not in village.tell()
    assert village.tell()["A1", 0] == pytest.approx(72.0, abs=0.1)


def test_a_new_rota_cuts_the_turn_that_runs_and_what_follows_is_its_own(village: Village) -> None:
    village.water(0, 8.2)
    village.tell()
    body = turn_book.body_of(Rota(T0 + 5 * HOUR, (Plot("C3", 60),), 10.0), "outlet")
    village.enter("rota", body)
    told = village.tell()
    assert told[("A1", 4)] == 36.0
    assert [key for key in told if key[1] >= 5] == [("C3", 5), ("C3", 6), ("C3", 7)]


def test_years_of_turns_come_in_pieces_and_a_lost_database_gets_them_again(
    village: Village,
) -> None:
    village.water(0, 24 * 70)
    first = village.tell()
    assert len(first) == 2 * 6 * 70 - 1  # the last one is still to be proved over
    village.office.kept.clear()
    assert village.tell() == {}
    refill.request(village.conn, "influx", T0 - 1)
    assert village.tell() == first


def test_without_a_book_or_with_a_broken_one_the_other_lines_go_on(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    village.water(0, 4.1)
    for path in village.folder.glob("committee.db*"):
        path.unlink()
    assert village.tell() == {}
    village.enter("rota", {"point": "outlet", "plots": "all"})
    assert village.tell() == {}
    assert "turns are not told: committee.db: ValueError" in caplog.text
    for path in village.folder.glob("committee.db*"):
        path.unlink()
    (village.folder / book.FILE).write_bytes(b"no database" * 100)
    assert village.tell() == {}
    assert "put back the file of the last backup" in caplog.text


def test_a_line_has_the_code_of_the_plot_and_no_name(village: Village) -> None:
    village.water(0, 4.1)
    village.tell()
    lines = list(turn_lines(PLAN.id, village.office.kept.values()))
    assert lines[0].startswith(f"turn,plot=A1,site={PLAN.id} q=1.0,minutes=120.0,m3=72.0,u_m3=")
    assert "Quliyev" not in "".join(lines)


@pytest.mark.parametrize("arrived", [0, 1, 2], ids=["before", "between", "after"])
def test_a_kill_around_the_writing_only_repeats(village: Village, arrived: int) -> None:
    """A program of its own, killed while it takes turns back and tells them anew."""
    village.water(0, 8.2)
    whole = village.tell()
    village.correct("B2", 1, 2)
    changed = village.tell()
    village.correct("C3", 0, 1)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(village.folder), str(arrived)],
        cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    told = io.BytesIO(killed.stdout)
    for _ in range(arrived):
        village.office.write_turns(pickle.load(told))
    assert told.read() == b""
    after = village.tell()
    assert whole != changed != after
    assert after[("C3", 0)] == 36.0
    assert ("A1", 0) not in after
