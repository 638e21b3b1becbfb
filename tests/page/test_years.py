# SPDX-License-Identifier: MIT
"""A store with three weeks missing, a clock in the past: every screen answers, none is hopeful."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from answer import Answer
from conftest import Serve
from stores_made import DAY, HOUR, NOW, HandClock, agreed, flow, living, put

SPANS = [f"/history?point=outlet&span={span}" for span in ("day", "week", "season", "year")]
PATHS = ("/", "/turns", "/alarms", "/call", "/help", "/missing", "/api/now", *SPANS)


def test_three_weeks_without_a_reading_are_hatched_and_counted(
    tmp_path: Path, serve: Serve
) -> None:
    living(tmp_path)
    put(tmp_path, flow("outlet", 12.0, NOW - 60 * DAY, NOW - 22 * DAY, step=HOUR // 2))
    agreed(tmp_path, ago_ms=40 * DAY)
    address = serve(tmp_path)
    page = Answer(address + "/history?point=outlet&span=season&lang=en").text
    assert page.count('class="gap"') == 1
    share = re.search(r"<dt>Measured</dt><dd>(\d+) %", page)
    assert share is not None
    assert int(share[1]) < 50
    turns = Answer(address + "/turns?from=2026-11-10&lang=en").words
    assert "not measured" in turns
    assert "cannot be told yet" in turns
    assert "too much" not in turns


@pytest.mark.parametrize("back", [2 * HOUR, 400 * DAY, 20_000 * DAY])
def test_a_clock_in_the_past_calls_nothing_normal(tmp_path: Path, serve: Serve, back: int) -> None:
    living(tmp_path)
    agreed(tmp_path)
    address = serve(tmp_path, HandClock(NOW - back, sure=False))
    for path in PATHS:
        assert Answer(address + path).status in (200, 503), path
    page = Answer(address + "/?lang=en").text
    assert "ahead of the clock" in page
    assert "full at" not in page
    assert 'class="status normal"' not in page
    assert "A clock is wrong" in page


@pytest.mark.parametrize("ahead", [400 * DAY, 25_000 * DAY])
def test_a_clock_in_the_future_shows_old_numbers_as_old(
    tmp_path: Path, serve: Serve, ahead: int
) -> None:
    living(tmp_path)
    agreed(tmp_path)
    address = serve(tmp_path, HandClock(NOW + ahead, sure=False))
    for path in PATHS:
        assert Answer(address + path).status == 200, path
    assert 'class="status none"' in Answer(address + "/?lang=en").text
