# SPDX-License-Identifier: MIT
"""Debian's Chromium for tests, patient with a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

PATIENCE_MS = 120_000  # for what never comes, not for a slow machine
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=options, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


def context(browser: Browser, **more: object) -> BrowserContext:
    """A phone's profile of its own: nothing it waits for is given up early."""
    made = browser.new_context(**more)  # type: ignore[arg-type]
    made.set_default_timeout(PATIENCE_MS)
    return made
