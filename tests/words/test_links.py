# SPDX-License-Identifier: MIT
"""Every link of every page leads somewhere, and every file that a page names is there."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from tests.words.markdown import NOT_OURS, ROOT, Page, pages, slug

A_PATH = re.compile(r"(?:[\w.-]+/)+[\w.*-]*")
MADE = re.compile(
    r"^(ca|old|tokens|doctor|image|dist|build|program|data|commissioned|pulled|reports|exports)/|^kahriz/v"
)  # by runs


def dead(page: Page) -> list[str]:
    """Links that lead nowhere."""
    found = []
    for link in page.links():
        target, _, anchor = link.partition("#")
        if re.match(r"https?://[\w.-]+\.[a-z]+(/|$)", link):
            continue
        path = (page.path.parent / target).resolve() if target else page.path
        there = path.exists() and ROOT in path.parents
        known = [each for each in pages() if each.path == path and anchor in each.anchors()]
        if not there or (anchor and not known):
            found.append(link)
    return found


@cache
def tree() -> str:
    """All files and folders, a line each, by their path from the root."""
    found = []
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [n for n in inside if n not in NOT_OURS and (n[0] != "." or n == ".ci")]
        here = "/" + Path(folder).relative_to(ROOT).as_posix() + "/"
        found += [here, *(here + name for name in files)]
    return "\n".join(found) + "\n"


def absent(page: Page) -> list[str]:
    """Files that are named in the text and are not there; a house's page names its own shortly."""
    found = []
    for word in page.words():
        pattern = "/" + re.escape(word).replace(r"\*", "[^/\n]*") + "/?\n"
        if A_PATH.fullmatch(word) and not MADE.match(word) and not re.search(pattern, tree()):
            found.append(word)
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_of_the_page_holds(page: Page) -> None:
    assert dead(page) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_file_that_the_page_names_is_there(page: Page) -> None:
    assert absent(page) == []


def test_a_dead_link_a_wrong_anchor_and_an_absent_file_are_found(tmp_path: Path) -> None:
    home = ROOT / "docs" / "planted.md"
    good = "[a](release.md#made) [b](../README.md) [c](https://example.org/x) `scripts/setup`"
    assert dead(Page(home, good)) == []
    assert absent(Page(home, good)) == []
    bad = "[a](release.md#mode) [b](../READ.md) [c](../../../etc/passwd) ![d](no.png) [e](#top)"
    assert len(dead(Page(home, bad))) == 5
    assert absent(Page(home, "`scripts/set-up` and `tests/data/none*`")) == [
        "scripts/set-up",
        "tests/data/none*",
    ]


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("The path, of `one` reading", "the-path-of-one-reading"),
        ("\"Do not drink until tested\" (`advisory`), storm water (`storm`)",
         "do-not-drink-until-tested-advisory-storm-water-storm"),
        ("Növbə: kim, nə qədər?", "növbə-kim-nə-qədər"),
        ("One [link](x.md) here", "one-link-here"),
    ],
)  # fmt: skip
def test_an_anchor_is_made_as_the_reader_of_the_pages_makes_it(title: str, anchor: str) -> None:
    assert slug(title) == anchor


def test_every_page_can_be_reached_from_the_first_one() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    by_path = {page.path: page for page in pages()}
    while waiting:
        path = waiting.pop()
        if path in seen or path not in by_path:
            continue
        seen.add(path)
        for link in by_path[path].links():
            waiting.append((path.parent / link.partition("#")[0]).resolve())
    assert [page.name for page in pages() if page.path not in seen] == []
