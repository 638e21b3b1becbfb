# SPDX-License-Identifier: MIT
"""The pictures of README, docs and the help page, taken from the running page; A4 on paper.

`KAHRIZ_PICTURES=1 pytest tests/page/test_pictures.py` takes them anew; without it they are made
and looked over, and nothing in the tree is changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from browsers import chromium, context
from conftest import served
from playwright.sync_api import Browser, Page
from stores_made import DAY, NOW, HandClock, agreed, fills, heard, living, plan_of

from kahriz_gateway.committee import book, pins
from kahriz_gateway.page.help import CHAPTERS

pytestmark = pytest.mark.needs("chromium")
ROOT = Path(__file__).parents[2]
DOCS = "".join(page.read_text("utf-8") for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")))
STATIC = ROOT / "gateway/kahriz_gateway/page/static"
# name: address, what must be seen, how the help page calls it
SCREENS = {
    "page-az": ("/", ".alarm-card", "help-first.jpg"),
    "turns-az": ("/turns", ".turns .here", "help-turns.jpg"),
    "alarm-az": ("/alarms", "article form", "help-alarm.jpg"),
    "test-az": ("/tests/pool", "select#point", "help-test.jpg"),
    "history-az": ("/history?point=outlet&span=week", "main svg", None),
    "work-az": ("/work", "main a", None),
    "visit-az": ("/work/visit", "main form select", None),
    "closure-az": ("/work/closure", "main form select", None),
}
LARGEST = {"png": 150_000, "jpg": 45_000}


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> Generator[Page, None, None]:
    """A phone in the hand of an elder who has entered, in a village with a leak and turns."""
    data = tmp_path_factory.mktemp("pictures")
    living(data, leak=True)
    fills(data)
    heard(data, plan_of())
    agreed(data, "A1 180\nA2 180\nB1 120\nB2 240", ago_ms=DAY)
    pin = pins.set_pin(book.open_book(data), "aqsaqqal", "committee", NOW)
    with served(plan_of(), data, HandClock()) as address, chromium() as browser:
        page = _phone(browser)
        page.goto(f"{address}/enter?next=/")
        page.fill("#pin", pin)
        page.click("main button")
        page.wait_for_url(f"{address}/")
        yield page


def _phone(browser: Browser) -> Page:
    viewport = {"width": 360, "height": 640}
    return context(browser, viewport=viewport, device_scale_factor=1).new_page()


def _at(page: Page) -> str:
    return re.match(r"https?://[^/]+", page.url)[0]  # type: ignore[index]


@pytest.mark.parametrize("name", SCREENS)
def test_the_picture_shows_its_screen(entered: Page, name: str, tmp_path: Path) -> None:
    path, seen, helped = SCREENS[name]
    assert f"]({name}.png)" in DOCS or f"](docs/{name}.png)" in DOCS, "on no page"
    entered.goto(_at(entered) + path)
    box = entered.locator(seen).first.bounding_box()
    assert box is not None
    assert box["y"] < 640, seen
    taken = os.environ.get("KAHRIZ_PICTURES")
    docs = (ROOT / "docs" if taken else tmp_path) / f"{name}.png"
    entered.screenshot(path=docs)
    pairs = [(docs, ROOT / "docs" / docs.name)]
    if helped is not None:
        small = (STATIC if taken else tmp_path) / helped
        entered.screenshot(path=small, type="jpeg", quality=55)
        pairs.append((small, STATIC / helped))
    for made, kept in pairs:
        most = LARGEST[made.suffix[1:]]
        assert 5_000 < made.stat().st_size < most
        assert 5_000 < kept.stat().st_size < most


def test_the_help_page_shows_every_picture(entered: Page) -> None:
    assert {chapter.picture for chapter in CHAPTERS} == {s[2] for s in SCREENS.values()} - {None}
    entered.goto(_at(entered) + "/help")
    assert entered.locator("section[id]").first.get_attribute("id") == "committee"
    for picture in entered.locator("img.screen").all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("e => e.complete || new Promise(done => e.onload = done)")
        assert picture.evaluate("e => e.naturalWidth") == 360
    assert entered.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", ["/turns", "/poster", "/work"])
def test_it_prints_on_one_page_of_a4(entered: Page, path: str) -> None:
    entered.goto(_at(entered) + path)
    paper = entered.pdf(format="A4", margin={"top": "12mm", "bottom": "12mm"})
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
