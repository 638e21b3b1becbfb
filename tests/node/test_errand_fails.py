# SPDX-License-Identifier: MIT
"""An errand that fails after the receipt costs itself: the session's time and its mark are kept."""

from pathlib import Path

from kahriz_gateway.orders import commands
from kahriz_node.memory import seal
from kahriz_sim.flash_journal import owed_rows

from .whole import Place


def test_an_errand_that_fails_costs_neither_time_nor_mark(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        place.live([])
        place.put("/done", seal(7))  # whole, and no list of answers: the errand cannot go on
        commands.put(place.village.conn, "outlet", "sample", {}, None)
        place.live(["deepsleep"])  # the time is gone with the power, and comes by this receipt
        assert place.village.hellos()[-1]["error"].startswith("errand: TypeError")
        rows = place.village.conn.execute("SELECT n, tq, times FROM reading ORDER BY n").fetchall()
        assert [n for n, _, _ in rows] == [1, 2, 3]
        assert [tq for _, tq, _ in rows] == ["dated", "dated", "est"]  # the third by that receipt
        assert [times for _, _, times in rows] == [1, 1, 1]  # no row was owed any more
        assert owed_rows(place.bench.flash) == []
    finally:
        place.close()
