# SPDX-License-Identifier: MIT
"""The pages of committee and crew: words in «…» are on screen or in messages."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from kahriz_alarms import replies
from tests.words.markdown import ROOT

DOCS = ROOT / "docs"
CATALOGUES = (
    ROOT / "gateway/kahriz_gateway/page/locale/az/LC_MESSAGES/page.po",
    ROOT / "gateway/kahriz_alarms/locale/az/LC_MESSAGES/alarms.po",
)


def said_in_azerbaijani() -> str:
    """All that the page and the messages can say, one text a line."""
    found: list[str] = []
    for path in CATALOGUES:
        with path.open("rb") as file:
            for message in read_po(file):
                texts = message.string if isinstance(message.string, tuple) else (message.string,)
                found += [str(text) for text in texts]
    return "\n".join(found)


@pytest.mark.parametrize("name", ["committee.md", "crew.md"])
def test_every_word_in_angles_is_said_by_page_or_messages(name: str) -> None:
    words = re.findall(r"«([^»]+)»", (DOCS / name).read_text(encoding="utf-8").replace("\n", " "))
    assert len(words) > 8
    said = said_in_azerbaijani().lower()
    assert [word for word in words if word.lower() not in said] == []


def test_the_answers_of_the_crews_page_are_those_that_are_understood() -> None:
    page = (DOCS / "crew.md").read_text(encoding="utf-8")
    table = page[page.index("| answer") : page.index("With several")]
    answers = re.findall(r"^\| `([^`]+)`(?: or `([^`]+)`)?", table, re.M)
    ops = [{replies.parse(one).op for one in pair if one} for pair in answers]
    assert [len(each) for each in ops] == [1] * 6
    assert len(set.union(*ops)) == 6
    assert replies.parse("4 6").hours == 6
    assert replies.parse("3 4").cause is not None


def test_no_page_says_that_the_water_is_safe() -> None:
    for name in ("committee.md", "crew.md"):
        text = (DOCS / name).read_text(encoding="utf-8").lower()
        assert not re.search(
            r"water is (safe|clean|good)|(?<!never says that it )may be drunk", text
        )
        assert "içmək olar" not in text
