# SPDX-License-Identifier: MIT
"""Who sees badly, has no mouse or no JavaScript: axe-core, the keyboard, zoom, a cut network."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
import pytest
from browsers import chromium, context
from conftest import served
from playwright.sync_api import Browser, Page, Route, expect
from stores_made import MIN, NOW, HandClock, heard, living, plan_of, put

from kahriz_gateway.committee import book, pins
from kahriz_gateway.page import poster
from kahriz_gateway.village.store import Value

pytestmark = pytest.mark.needs("chromium")
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
PATHS = (
    "/", "/history?span=week", "/alarms", "/missing", "/turns", "/turns/set", "/turns/correct",
    "/turns/shortage?flow_lps=6", "/work", "/work/reading", "/work/visit", "/work/closure",
    "/tests/pool", "/tests/gauging", "/tests/filling", "/tests/salt",
    "/call", "/help", "/poster", "/enter", "/nowhere",
)  # fmt: skip
TURNS = {"#start": "2026-11-23T06:00", "#flow": "12,0", "#plots": "A1 120\nB2 180\nC3 60"}


@dataclass
class Village:
    """The page of a leaking kahriz, with one elder who has a PIN."""

    address: str
    data: Path
    pin: str
    browser: Browser

    def phone(
        self, script: bool = True, entered: bool = True, width: int = 360, **more: object
    ) -> Page:
        page = context(
            self.browser, viewport={"width": width, "height": 640}, java_script_enabled=script,
            bypass_csp=script, **more,
        ).new_page()  # fmt: skip
        if entered:
            page.goto(f"{self.address}/enter?next=/turns/set")
            page.fill("#pin", self.pin)
            page.click("main button")
            page.wait_for_url("**/turns/set")
        return page


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Generator[Village, None, None]:
    data = tmp_path_factory.mktemp("village")
    living(data, leak=True)
    heard(data, plan_of())
    put(data, [Value("outlet", "us_cm", NOW - MIN, 410.0, 2.0, 1)])
    pin = pins.set_pin(book.open_book(data), "aqsaqqal", "committee", NOW)
    with served(plan_of(), data, HandClock()) as address, chromium() as browser:
        yield Village(address, data, pin, browser)


def _agree(page: Page) -> None:
    for field, text in TURNS.items():
        page.fill(field, text)
    page.select_option("#point", "outlet")
    page.click("main button")
    page.wait_for_url("**/turns")


def test_axe_finds_nothing_on_any_screen(village: Village) -> None:
    page = village.phone()
    _agree(page)
    found = {}
    for path in PATHS:
        page.goto(village.address + path)
        page.evaluate(AXE.read_text())
        broken = page.evaluate("axe.run()")["violations"]
        found[path] = [(b["id"], b["impact"], b["nodes"][0]["html"][:120]) for b in broken]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    assert {path: broken for path, broken in found.items() if broken} == {}


def test_axe_would_find_a_button_without_a_name(village: Village) -> None:
    page = village.phone(entered=False)
    page.goto(village.address)
    page.evaluate("document.querySelector('main').innerHTML += '<button></button>'")
    page.evaluate(AXE.read_text())
    assert "button-name" in {b["id"] for b in page.evaluate("axe.run()")["violations"]}


def test_the_keyboard_alone_enters_and_sees_where_it_is(village: Village) -> None:
    page = village.phone(entered=False)
    page.goto(village.address + "/enter?next=/turns")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pin":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.type(village.pin)
    page.keyboard.press("Enter")
    page.wait_for_url("**/turns")


def test_at_twice_the_size_nothing_is_cut_off(village: Village) -> None:
    page = village.phone()
    for path in ("/", "/turns", "/work/visit", "/tests/gauging"):
        page.goto(village.address + path)
        page.add_style_tag(content="html { font-size: 200% }")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, path


@pytest.mark.parametrize(("lang", "width"), [("az", 360), ("ru", 1280)])
def test_every_form_works_without_javascript(village: Village, lang: str, width: int) -> None:
    page = village.phone(script=False, width=width)
    page.goto(f"{village.address}/turns/set?lang={lang}")
    _agree(page)
    assert page.locator("html").get_attribute("lang") == lang
    page.goto(village.address + "/turns/correct")
    page.fill("#start", "2026-11-23T09:00")
    page.fill("#end", "2026-11-23T09:30")
    page.click("main button")
    page.wait_for_url("**/turns")
    page.goto(village.address + "/work/reading")
    page.fill("#cm", "15,2")
    page.click("main button")
    page.wait_for_url("**/work")
    page.goto(village.address + "/work/visit")
    page.check("input[value=joint]")
    page.click("main button")
    page.wait_for_url("**/work")
    page.goto(village.address + "/work/closure")
    page.fill("#hours", "2")
    page.fill("#why", "x")
    page.click("main button")
    page.wait_for_url("**/work")
    page.goto(village.address + "/tests/gauging")
    for i in range(3):
        page.fill(f"input[name=litres{i}]", "20")
        page.fill(f"input[name=seconds{i}]", "8,1")
    page.click("main button")
    expect(page.locator(".turn b")).to_have_text("2,47")
    page.goto(village.address + "/tests/pool")
    page.check("input[value=drawdown]")
    page.click("main button")
    page.wait_for_url("**/tests/pool/*")
    page.locator("button[value=abort]").click()
    page.wait_for_url("**/tests/pool")
    page.goto(village.address + "/alarms")
    with page.expect_navigation():
        page.locator("button[value=ack]").first.click()
    assert "/alarms" in page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_typed_survives_the_refresh_and_a_cut_network(village: Village) -> None:
    page = village.phone()
    page.clock.install()
    page.goto(village.address + "/work/visit")
    page.fill("#found", "çatlaq tapıldı")
    page.clock.run_for(40_000)  # the page fetches itself every 15 s where nobody types
    assert page.input_value("#found") == "çatlaq tapıldı"
    page.check("input[value=joint]")
    before = len(_visits(village))
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.click("main button", no_wait_after=True)
    page.context.set_offline(False)
    _back_to_form(page)
    assert page.input_value("#found") == "çatlaq tapıldı"
    page.click("main button")
    page.wait_for_url("**/work")
    assert len(_visits(village)) == before + 1


def test_a_form_whose_answer_was_lost_counts_once(village: Village) -> None:
    page = village.phone()
    page.goto(village.address + "/work/visit")
    page.check("input[value=aval]")
    before = len(_visits(village))

    def lose(route: Route) -> None:  # the gateway has it, and its answer dies on the way
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/work/visit/keep", lose)
    with page.expect_event("requestfailed"):
        page.click("main button", no_wait_after=True)
    assert len(_visits(village)) == before + 1
    page.unroute("**/work/visit/keep")
    _back_to_form(page)
    page.check("input[value=aval]")
    page.click("main button")
    page.wait_for_url("**/work")
    assert len(_visits(village)) == before + 1


def test_the_poster_leads_a_phone_to_wifi_and_page(village: Village) -> None:
    page = village.phone()
    page.goto(village.address + "/poster")
    page.fill("#ssid", "Gözlü; kəhriz")
    page.fill("#password", 'a;b"c')
    page.click("footer button")
    expect(page.locator(".poster svg")).to_have_count(2)
    assert "WIFI:" not in page.content()
    kept = sqlite3.connect(village.data / "committee.db").execute("SELECT body FROM entry")
    assert "kəhriz" not in "".join(body for (body,) in kept)
    made = poster.wifi("x", "y")
    assert re.fullmatch(r"<svg .*</svg>\s*", made, re.S)
    assert made != poster.wifi("x", "z")


def _back_to_form(page: Page) -> None:
    """As a person does who sees the browser's own page of failure; it may come a little later."""
    page.wait_for_url("chrome-error:**", wait_until="commit")
    page.go_back()


def _visits(village: Village) -> list[book.Entry]:
    return book.entries(book.open_book(village.data), "visit")
