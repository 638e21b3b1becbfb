# SPDX-License-Identifier: MIT
"""The page on an old phone: Debian's Chromium at 360 x 640, in three languages.

KAHRIZ_SHOTS=folder keeps a screenshot of every page looked at.
"""

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from browsers import chromium, context
from conftest import Serve, served
from playwright.sync_api import Browser, Page, expect
from stores_made import (
    DAY,
    HOUR,
    MIN,
    NOW,
    HandClock,
    agreed,
    alarm,
    fills,
    flow,
    heard,
    living,
    plan_of,
    put,
)

pytestmark = pytest.mark.needs("chromium")
PHONE = {"width": 360, "height": 640}
LANGUAGES = ("az", "ru", "en")
PATHS = ("/", "/history?point=middle&span=day", "/history?span=year", "/alarms", "/missing")


@pytest.fixture(scope="module")
def browser() -> Generator[Browser, None, None]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Generator[str, None, None]:
    """The address of a kahriz that loses 2 L/s above the middle."""
    data = tmp_path_factory.mktemp("leaking")
    living(data, days=8, leak=True)
    heard(data, plan_of())
    with served(plan_of(), data, HandClock()) as address:
        yield address


@contextlib.contextmanager
def phone(browser: Browser, script: bool = True, **size: int) -> Iterator[tuple[Page, list[str]]]:
    """A page on a phone, and every address that it asked for."""
    viewport = {**PHONE, **size}
    own = context(browser, viewport=viewport, java_script_enabled=script, device_scale_factor=2)
    page = own.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    own.close()


def keep(page: Page, name: str, full: bool = True) -> None:
    folder = os.environ.get("KAHRIZ_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full)


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_is_wider_than_the_phone_and_nothing_comes_from_elsewhere(
    browser: Browser, leaking: str, path: str, lang: str
) -> None:
    with phone(browser) as (page, asked):
        errors: list[str] = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{leaking}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert errors == []
        assert len(asked) >= 3
        assert [url for url in asked if not url.startswith(leaking)] == []
        keep(page, f"{lang}{path.partition('?')[0].replace('/', '-')}-{PATHS.index(path)}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_chief_things_are_seen_without_scrolling(
    browser: Browser, leaking: str, lang: str
) -> None:
    with phone(browser) as (page, _):
        page.goto(f"{leaking}/?lang={lang}")
        for part in (".status", ".figure", ".tiles", ".alarm-card", ".drawing"):
            assert bottom(page, part) <= 640, part
        size = page.locator(".now b").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert size >= 48
        keep(page, f"first-{lang}", full=False)


def test_three_alarms_a_turn_and_the_longest_words_need_no_scrolling(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    living(tmp_path, leak=True)
    fills(tmp_path)
    agreed(tmp_path, "A1 120\nB2 180\nYuxarı bağ 6 60")
    alarm(tmp_path, "balance_doubt", "lower", raised=NOW - HOUR, lps=None, m3=None)
    alarm(tmp_path, "fouled_weir", "inlet", raised=NOW - 2 * HOUR, lps=None, m3=None)
    address = serve(tmp_path)
    with phone(browser) as (page, _):
        for lang in LANGUAGES:
            page.goto(f"{address}/?lang={lang}")
            assert page.locator(".alarm-card").count() == 3
            assert page.locator(".fills").count() == 1
            for part in (".turn-now", ".call", ".tiles", ".alarm-card >> nth=2"):
                assert bottom(page, part) <= 640, (lang, part)
            for number in page.locator(".tiles b, .turn-now b").all():
                assert number.evaluate("e => e.scrollWidth <= e.parentElement.clientWidth"), lang
            keep(page, f"three-alarms-{lang}", full=False)


def test_targets_of_a_finger_are_large_enough(browser: Browser, leaking: str) -> None:
    with phone(browser) as (page, _):
        for path in PATHS:
            page.goto(leaking + path)
            for target in page.locator("a:visible, summary:visible").all():
                box = target.bounding_box()
                assert box is not None
                assert box["height"] >= 43.5, target.inner_text()


def test_everything_works_without_javascript(browser: Browser, leaking: str) -> None:
    with phone(browser, script=False) as (page, _):
        page.goto(leaking)
        page.get_by_label("Русский").click()
        expect(page.locator(".status strong")).to_have_text("Действуйте")
        page.locator(".spans a").nth(1).click()
        expect(page.locator("h1")).to_have_text("Устье кягриза")
        page.wait_for_load_state()
        assert page.locator("svg.chart .measured").count() >= 1
        page.locator("a[rel=prev]").click()
        expect(page.locator(".stretch strong")).to_have_text("16.11.2026 – 22.11.2026")
        page.wait_for_load_state()
        page.locator("summary").click()
        assert page.locator("tbody tr").count() > 100
        page.locator("footer a").first.click()
        page.locator("a.alarm-card").click()
        expect(page.locator("article")).to_have_count(1)
        keep(page, "without-javascript")


def test_the_page_renews_itself_and_says_when_it_cannot(browser: Browser, tmp_path: Path) -> None:
    living(tmp_path)
    heard(tmp_path, plan_of(), gap=None)
    clock = HandClock()
    with served(plan_of(), tmp_path, clock) as address, phone(browser) as (page, _):
        page.clock.install()
        with page.expect_response("**/events"):  # from here on it is told what is new
            page.goto(address + "/?lang=en")
        assert page.locator(".status strong").inner_text() == "Normal"
        alarm(tmp_path, raised=NOW)
        page.clock.run_for(16_000)
        page.locator(".status.act").wait_for()
        page.context.set_offline(True)
        page.clock.run_for(31_000)
        page.locator(".offline", has_text="these numbers are from 11:05").wait_for()
        keep(page, "cut", full=False)


def test_a_dry_kahriz_is_less_than_and_never_zero(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    rows = flow("outlet", 1.0, NOW - DAY, NOW, step=5 * MIN)
    low = [type(v)(v.point, "discharge_lt_lps", v.ts, 1.2, None, 1) for v in rows]
    put(tmp_path, low)
    address = serve(tmp_path)
    with phone(browser) as (page, _):
        page.goto(address + "/?lang=en")
        assert page.locator(".now").inner_text().split() == ["less", "than", "1.2", "L/s"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        keep(page, "dry-en")
        page.goto(address + "/?lang=az")
        keep(page, "dry-az", full=False)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_old_numbers_empty_and_broken_stores_are_told_in_every_language(
    browser: Browser, tmp_path: Path, lang: str
) -> None:
    for name in ("old", "empty", "broken"):
        (tmp_path / name).mkdir()
    living(tmp_path / "old")
    put(tmp_path / "empty", [])
    (tmp_path / "broken/village.db").write_bytes(b"x" * 5000)
    with phone(browser) as (page, _):
        for name in ("old", "empty", "broken"):
            with served(plan_of(), tmp_path / name, HandClock(NOW + 9 * HOUR)) as address:
                page.goto(f"{address}/?lang={lang}")
                assert page.locator(".status.none").count() == 1
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
                keep(page, f"{name}-{lang}")


def test_letters_twice_as_large_still_fit(browser: Browser, leaking: str) -> None:
    with phone(browser) as (page, _):
        for lang in LANGUAGES:
            page.goto(f"{leaking}/?lang={lang}")
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            keep(page, f"large-{lang}")


def test_a_desktop_shows_it_in_the_middle(browser: Browser, leaking: str) -> None:
    with phone(browser, width=1280, height=900) as (page, _):
        page.goto(leaking)
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["width"] <= 720
        keep(page, "desktop")
