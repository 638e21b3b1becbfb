# SPDX-License-Identifier: MIT
"""A turn out of the plan takes water of its own: until it is over no repair is proved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.alarms import turns as alarm_turns
from kahriz_gateway.committee import book, turn_book
from kahriz_water.turns import Plot, Rota

from .test_alarm_loop import DAY_MS, HOUR_MS, PLAN, T0, Loop, mended

AFTER = T0 + 2 * DAY_MS  # the moment at which `mended` asks for the proof


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path / "village.db")
    yield made
    made.faithful()
    made.conn.close()


def agree(loop: Loop, point: str, start_ms: int, plots: tuple[Plot, ...]) -> None:
    folder = Path(loop.conn.execute("PRAGMA database_list").fetchone()["file"]).parent
    conn = book.open_book(folder)
    body = turn_book.body_of(Rota(start_ms, plots, 12.0), point)
    book.write(conn, start_ms, "rena", "committee", "rota", body)
    conn.close()


def correct(loop: Loop, start_ms: int, end_ms: int, plot: str = "B") -> None:
    folder = Path(loop.conn.execute("PRAGMA database_list").fetchone()["file"]).parent
    conn = book.open_book(folder)
    body = {"plot": plot, "start_ms": start_ms, "end_ms": end_ms}
    book.write(conn, start_ms, "rena", "committee", "correction", body)
    conn.close()


TWO = (Plot("A", 360), Plot("B", 360))


def test_the_usual_round_of_turns_does_not_stand_in_the_way(loop: Loop) -> None:
    agree(loop, "middle", T0 - 30 * DAY_MS, TWO)
    mended(loop, outlet=12.1)
    assert loop.state() == "closed"


def test_a_turn_out_of_the_plan_does(loop: Loop) -> None:
    agree(loop, "middle", T0 - 30 * DAY_MS, TWO)
    correct(loop, AFTER - 5 * HOUR_MS, AFTER - HOUR_MS)
    mended(loop, outlet=12.1)
    assert loop.state() == "raised"
    loop.clock.ms += DAY_MS
    loop.flow({"outlet": 12.1, "middle": 12.1}, loop.clock.ms)
    loop.tick()
    assert loop.state() == "closed"


def test_a_new_rota_does_and_elsewhere_it_does_not(loop: Loop) -> None:
    agree(loop, "middle", AFTER - HOUR_MS, TWO)
    assert alarm_turns.planned(loop.conn, "upper", PLAN, AFTER) == "a new rota of turns"
    assert alarm_turns.planned(loop.conn, "outlet", PLAN, AFTER) is None


def test_a_turn_that_was_taken_from_everybody_counts_as_out_of_the_plan(loop: Loop) -> None:
    agree(loop, "middle", T0 - 30 * DAY_MS, TWO)
    start = T0 + DAY_MS + 6 * HOUR_MS  # the rota began at T0: this is a whole turn of B
    correct(loop, start, start + 6 * HOUR_MS, plot="")
    assert alarm_turns.planned(loop.conn, "upper", PLAN, AFTER) == "the turn of A"


def test_a_book_that_cannot_be_read_proves_nothing(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / book.FILE).write_bytes(b"garbage" * 1000)
    mended(loop, outlet=12.1)
    assert loop.state() == "raised"
