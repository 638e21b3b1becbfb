# SPDX-License-Identifier: MIT
"""Every text of alarms is in the catalogues, said otherwise there, and promises nothing."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import kahriz_alarms
import kahriz_gateway
import kahriz_server
from kahriz_alarms import crew, kinds, messages

HERE = Path(kahriz_alarms.__file__).parent
KEYWORDS = {"mark": None, "say": None, "translate": None}
HOLE = re.compile(r"%\((\w+)\)[sd]")
SAME: dict[str, str] = {}  # msgid: why a translation may be the same
PROMISES = re.compile(
    r"\bsafe|təhlükəsiz|безопас|potable|içməli|питьев|drinkable|içmək olar|можно пить|pure water",
    re.IGNORECASE,
)
DENIES = re.compile(r"does not say|не значит|demək deyil")


def texts() -> set[str]:
    """All that the programs may say, as Babel reads it out of them."""
    found = extract_from_dir(HERE, [("**.py", "python")], keywords=KEYWORDS)
    return {str(message) for _file, _line, message, _comments, _context in found if message}


def catalogue(language: str) -> Catalog:
    with (messages.LOCALE / language / "LC_MESSAGES" / "alarms.po").open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("language", ["az", "ru"])
def test_every_text_has_its_translation_and_none_is_left_over(language: str) -> None:
    wanted = texts()
    assert len(wanted) > 80
    assert {str(m.id) for m in catalogue(language) if m.id} == wanted
    for message in catalogue(language):
        if message.id:
            assert message.string, message.id
            assert not message.fuzzy, message.id
            assert message.string != message.id or message.id in SAME, message.id
            assert sorted(HOLE.findall(str(message.string))) == sorted(HOLE.findall(message.id))


@pytest.mark.parametrize("language", ["az", "ru"])
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    made = messages.LOCALE / language / "LC_MESSAGES" / "alarms.mo"
    assert made.read_bytes() == compiled.getvalue(), "run: make messages"


def test_no_catalogue_says_that_water_is_safe() -> None:
    said = sorted(texts())
    for package in (kahriz_alarms, kahriz_gateway, kahriz_server):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.po")):
            with path.open("rb") as file:
                for message in read_po(file):
                    forms = message.string
                    said += [str(message.id), *((forms,) if isinstance(forms, str) else forms)]
    assert len(said) > 500
    sentences = [s for text in said for s in re.split(r"[.!?] ", text)]
    assert [s for s in sentences if PROMISES.search(s) and not DENIES.search(s)] == []


def test_a_crew_knows_what_to_look_at_for_every_kind_of_the_water_and_the_field() -> None:
    field = [k for k, rule in kinds.KINDS.items() if rule.proof or rule.level is not None]
    assert [k for k in field if k not in crew.WORK] == []
