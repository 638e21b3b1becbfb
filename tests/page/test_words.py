# SPDX-License-Identifier: MIT
"""The catalogues are complete, compiled, and promise nothing about drinking."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from catalogue import PAGE, texts

from kahriz_gateway.page.words import LANGUAGES, speech

TRANSLATED = [language for language in LANGUAGES if language != "en"]
HOLE = re.compile(r"%\((\w+)\)s|%%")


def path(language: str, suffix: str) -> Path:
    return PAGE / "locale" / language / "LC_MESSAGES" / f"page.{suffix}"


def catalogue(language: str) -> Catalog:
    with path(language, "po").open("rb") as file:
        return read_po(file)


def forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple) else [message.string]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_page_is_translated_and_none_is_left_over(language: str) -> None:
    wanted = {str(m.id) for m in texts() if m.id}
    assert len(wanted) > 100
    assert {str(m.id) for m in catalogue(language) if m.id} == wanted
    empty = [m.id for m in catalogue(language) if not all(forms(m)) or m.fuzzy]
    assert empty == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_holes_of_its_source(language: str) -> None:
    for message in catalogue(language):
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        for form in forms(message) if source else []:
            assert sorted(HOLE.findall(form)) == sorted(HOLE.findall(source)), source


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    assert path(language, "mo").read_bytes() == compiled.getvalue(), "run: make messages"


@pytest.mark.parametrize("language", [*TRANSLATED, "en"])
def test_no_text_says_that_water_is_safe(language: str) -> None:
    if language == "en":
        said = [str(m.id) for m in texts()]
    else:
        said = [form for m in catalogue(language) for form in forms(m)]
    forbidden = re.compile(r"\bsafe|təhlükəsiz|безопас|potable|içməli|питьев", re.IGNORECASE)
    assert [text for text in said if forbidden.search(text)] == []


def test_azerbaijani_nouns_stay_singular_after_a_number() -> None:
    one, many = "%(n)s reading is missing", "%(n)s readings are missing"
    assert [speech("az").plural(one, many, n) for n in (1, 5)] == [
        "1 ölçmə çatışmır",
        "5 ölçmə çatışmır",
    ]


def test_russian_has_three_forms() -> None:
    said = [speech("ru").plural("%(n)s day", "%(n)s days", n) for n in (1, 3, 5, 21)]
    assert said == ["1 день", "3 дня", "5 дней", "21 день"]


def test_an_unknown_language_is_azerbaijani() -> None:
    assert speech("de").text("Normal") == speech("az").text("Normal")
