# SPDX-License-Identifier: MIT
"""News reach an open page by themselves, and a village that ends is not held up by its guests."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from browsers import chromium, context
from conftest import Serve
from playwright.sync_api import expect
from stores_made import MIN, NOW, living, plan_of, put

from kahriz_gateway.page import events
from kahriz_gateway.page.events import Events
from kahriz_gateway.village.store import Value


def _line(stream: object) -> str:
    return stream.readline().decode().strip()  # type: ignore[attr-defined, no-any-return]


def test_a_new_value_is_told_and_nothing_else_is(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    with urllib.request.urlopen(serve(tmp_path) + "/events", timeout=120) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert "Content-Encoding" not in stream.headers
        assert _line(stream) == "retry: 15000"
        assert _line(stream) == ""
        put(tmp_path, [Value("outlet", "discharge_lps", NOW + MIN, 11.0, 0.1, 1)])
        assert _line(stream) == "data: new"
        assert _line(stream) == ""


def test_the_mark_moves_with_values_and_steps_alone(tmp_path: Path) -> None:
    living(tmp_path)
    one = Events(plan_of(), tmp_path)
    first = one._mark()
    assert one._mark() == first
    put(tmp_path, [Value("pool", "level_m", NOW + MIN, 1.5, 0.01, 1)])
    assert one._mark() != first
    assert Events(plan_of(), tmp_path / "nowhere")._mark() == ("village.db: no such file",)


def test_too_many_guests_are_sent_to_ask_by_themselves(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    living(tmp_path)
    monkeypatch.setattr(events, "MOST", 1)
    address = serve(tmp_path)
    with urllib.request.urlopen(address + "/events", timeout=120) as stream:
        assert _line(stream) == "retry: 15000"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address + "/events", timeout=120)
        assert refused.value.code == 503


@pytest.mark.needs("chromium")
def test_an_open_page_shows_the_new_number_by_itself(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    with chromium() as browser:
        page = context(browser).new_page()
        page.add_init_script("window.setInterval = () => 0")  # it does not ask by itself
        with page.expect_response("**/events"):
            page.goto(serve(tmp_path) + "/")
        put(tmp_path, [Value("outlet", "discharge_lps", NOW - MIN, 7.7, 0.1, 1)])
        expect(page.locator(".now b")).to_have_text("7,7")
