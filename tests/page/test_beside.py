# SPDX-License-Identifier: MIT
"""A chart tells how a number came to be, and lays a week beside that of a year before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

from answer import Answer
from conftest import Serve
from stores_made import DAY, HOUR, NOW, flow, living, open_for_writing, plan_of, put

from kahriz_gateway.records import manual as manual_store
from kahriz_water.records import StaffReading

YEAR = 52 * 7 * DAY


def _second(page: str) -> str:
    return "".join(re.findall(r'<polyline class="second" points="([^"]+)"', page))


def test_the_same_week_a_year_before_is_a_second_line(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path, days=3)
    put(tmp_path, flow("outlet", 9.0, NOW - YEAR - 3 * DAY, NOW - YEAR, step=HOUR))
    address = serve(tmp_path)
    page = Answer(address + "/history?point=outlet&span=week&lang=en").text
    assert "A year before, from 18.11.2025" in page
    assert _second(page) == ""
    page = Answer(address + "/history?point=outlet&span=week&beside=year&lang=en").text
    assert len(_second(page).split()) > 50
    assert page.count("A year before, from 18.11.2025") == 2  # the link and the legend


def test_nothing_a_year_before_offers_no_comparison(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    page = Answer(serve(tmp_path) + "/history?point=outlet&span=week&beside=year&lang=en").text
    assert "A year before" not in page
    assert _second(page) == ""


def test_the_days_after_a_renovation_are_laid_beside(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    put(tmp_path, flow("outlet", 25.0, NOW - 200 * DAY, NOW - 190 * DAY, step=HOUR))
    plan = plan_of()
    plan = replace(plan, page=replace(plan.page, renovated=date(2026, 5, 6)))
    address = serve(tmp_path, plan=plan)
    page = Answer(address + "/history?point=outlet&span=week&beside=renovated&lang=en").text
    assert "After the renovation, from 07.05.2026" in page
    assert len(_second(page).split()) > 50


def test_a_reading_by_hand_is_a_diamond_and_not_in_the_mean(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    conn = open_for_writing(tmp_path)
    manual_store.keep(conn, plan_of(), StaffReading("outlet", NOW - 7 * HOUR + 1, 0.25, "Aytən"))
    lps = "SELECT value FROM value WHERE quantity='discharge_lps' AND manual=1"
    assert conn.execute(lps).fetchone()[0] > 40.0
    conn.close()
    for span in ("day", "week"):
        page = Answer(f"{serve(tmp_path)}/history?point=outlet&span={span}&lang=en").text
        assert page.count('<path class="manual"') == 2  # in the chart and in the legend
        assert "read by hand" in page
        assert "<dt>Highest</dt><dd>12." in page


def test_a_time_that_was_only_estimated_is_dotted(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    conn = open_for_writing(tmp_path)
    times = conn.execute(
        "SELECT ts FROM value WHERE point='outlet' AND quantity='discharge_lps' AND ts>? AND ts<?",
        (NOW - 6 * HOUR, NOW - 3 * HOUR),
    ).fetchall()
    rows = [("outlet", "9f3a01c2", n, ts) for n, (ts,) in enumerate(times)]
    conn.executemany("INSERT INTO estimated VALUES(?,?,?,?)", rows)
    conn.close()
    for span in ("day", "week"):
        page = Answer(f"{serve(tmp_path)}/history?point=outlet&span={span}&lang=en").text
        assert '<polyline class="estimated"' in page
        assert "time estimated" in page


def test_every_mean_of_the_table_says_what_it_covers(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    page = Answer(f"{serve(tmp_path)}/history?point=outlet&span=week&lang=en").text
    assert re.search(r"<td>12 · 100 %</td>", page)
