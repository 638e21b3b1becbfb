# SPDX-License-Identifier: MIT
"""What people answer, as they type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kahriz_alarms.alarm import CAUSES
from kahriz_alarms.fold import KEPT, ascii_text, bare
from kahriz_alarms.replies import CAUSE_OF, OP_OF, OPS, Reply, parse
from kahriz_alarms.replies import CAUSES as CAUSE_WORDS


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("1", "ack"),
        (" OK! ", "ack"),
        ("Bəli", "ack"),
        ("BELİ", "ack"),
        ("понял", "ack"),
        ("gəlirəm", "coming"),
        ("GELIREM", "coming"),
        ("on my way", "coming"),
        ("еду", "coming"),
        ("hazır", "fixed"),
        ("HAZIR.", "fixed"),
        ("4 12", "shelve"),
        ("SU?", "state"),
        ("su", "state"),
        ("вода?", "state"),
        ("kömək", "help"),
        ("salam necəsən", "unknown"),
        ("", "unknown"),
        ("111", "unknown"),
    ],
)
def test_an_answer_is_read_as_it_is_typed(text: str, op: str) -> None:
    assert parse(text).op == op


def test_a_repair_names_its_alarm_and_its_cause() -> None:
    assert parse("3 17 tərkdöymə") == Reply("fixed", 17, "terkdoyme")
    assert parse("3 4") == Reply("fixed", None, "joint")
    assert parse("#17 3").op == "unknown"
    assert parse("3 #17") == Reply("fixed", 17, None)
    told = parse("3 17 9 qapaq sınıb")
    assert (told.alarm, told.cause, told.words) == (17, "other", "qapaq sınıb")


def test_shelving_reads_the_alarm_before_the_hours() -> None:
    assert parse("4 17 12") == Reply("shelve", 17, hours=12)
    assert parse("4 999999").hours is None


def test_every_cause_has_its_words_and_no_word_means_two_things() -> None:
    assert set(CAUSE_WORDS) == set(CAUSES)
    for table, read in ((OPS, OP_OF), (CAUSE_WORDS, CAUSE_OF)):
        words = [(bare(w), key) for key, text in table.items() for w in text.split()]
        assert all(read[word] == key for word, key in words)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert parse(text).op in {*OPS, "unknown"}
    assert set(ascii_text(text)) <= KEPT


def test_the_fold_keeps_what_unicode_would_drop() -> None:
    assert ascii_text("ƏləI ıİ ğ") == "EleI iI g"
