# SPDX-License-Identifier: MIT
"""Who may look: all, the village, or who has a PIN; no session over open HTTP from afar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from answer import Answer
from conftest import Serve
from phone import Phone
from stores_made import NOW, living, plan_of

from kahriz_gateway.committee import book, pins
from kahriz_water.plan import ConfigError, parse_plan
from kahriz_water.site import Plan

SCREENS = ("/", "/turns", "/alarms", "/history", "/call", "/help", "/missing", "/turns.csv")
AFAR = {"X-Forwarded-For": "8.8.8.8"}  # as a proxy on the gateway says it; uvicorn believes it


def looked(look: str) -> Plan:
    plan = plan_of()
    return replace(plan, page=replace(plan.page, look=look))


def _closed(address: str, path: str, **headers: str) -> bool:
    answer = Answer(address + path, **headers)
    return 'id="pin"' in answer.text  # urllib follows the redirect to the gate


@pytest.mark.parametrize("path", SCREENS)
def test_only_with_a_pin_means_every_screen(tmp_path: Path, serve: Serve, path: str) -> None:
    living(tmp_path)
    address = serve(tmp_path, plan=looked("pin"))
    assert _closed(address, path)
    phone = Phone(address)
    phone.enter(pins.set_pin(book.open_book(tmp_path), "kankan", "crew", NOW), "crew")
    assert phone.get(path)[0] in (200, 404)  # no turns are set: no table of them


def test_what_needs_no_pin_stays_open(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    address = serve(tmp_path, plan=looked("pin"))
    for path in ("/enter", "/static/page.css", "/generate_204", "/healthz"):
        assert not _closed(address, path) or path == "/enter"
    for path in ("/api/now", "/metrics"):
        assert Answer(address + path).status == 403


def test_the_village_looks_and_who_is_outside_does_not(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    address = serve(tmp_path, plan=looked("village"))
    assert not _closed(address, "/")
    assert _closed(address, "/", **AFAR)
    assert _closed(address, "/", **AFAR, **{"X-Forwarded-Proto": "https"})
    assert not _closed(serve(tmp_path), "/", **AFAR)


def test_a_session_counts_only_inside_or_over_tls(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    phone = Phone(serve(tmp_path))
    phone.enter(pins.set_pin(book.open_book(tmp_path), "kankan", "crew", NOW), "crew")
    cookie = f"entered={phone.cookies['entered']}"
    assert not _closed(phone.address, "/work", Cookie=cookie)
    assert _closed(phone.address, "/work", Cookie=cookie, **AFAR)
    tls = AFAR | {"X-Forwarded-Proto": "https"}
    assert not _closed(phone.address, "/work", Cookie=cookie, **tls)


def test_another_word_is_refused_by_the_plan() -> None:
    text = """[site]
id = "x"
district = "d"
name = {az = "x", ru = "x", en = "x"}
[page]
look = "nobody"
[[point]]
id = "a"
kind = "pool"
name = {az = "x", ru = "x", en = "x"}
"""
    with pytest.raises(ConfigError, match="one of all, village, pin"):
        parse_plan(text)
