# SPDX-License-Identifier: MIT
"""A journal on a full flash: what goes first, and what holes are called."""

from journals import Receipt, file_of, fill, flip, gone, held, opened, small_segments
from places import folder

from kahriz_node import keep, room


def test_a_full_flash_drops_the_oldest_receipted_segment_first():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 60)
    book.obey(Receipt(60, [[1, 15]]))
    assert room.evict(book)
    ((a, b, word),) = gone(book, 1, 60)
    assert a > 15
    assert word == "dropped"
    assert gone(opened(root), 1, 60) == [(a, b, "dropped")]
    assert [item[0] for item in held(book, 1, 15)] == list(range(1, 16))


def test_holes_that_were_dropped_and_holes_that_never_were_have_their_own_words():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 30)
    book.obey(Receipt(40, [[1, 5]]))  # the gateway knows of ten more
    fill(book, 30)
    book.obey(Receipt(70, [[1, 5], [65, 70]]))
    while room.evict(book, True):
        pass
    for one in (book, opened(root)):
        words = gone(one, 1, 70)
        assert {word for _, _, word in words} == {"dropped"}
        assert [n for n, _, text, _ in one.rows(1, 70) if text is not None and n <= 5]
    assert len(opened(root).firsts) <= 4  # what was dropped side by side is one entry


def test_the_index_may_name_a_segment_that_never_came():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 25)
    firsts = list(book.firsts)
    firsts.extend((26, 30))
    keep.save(file_of(root, book, "index"), firsts)
    again = opened(root)
    assert again.next == 26
    fill(again, 1)
    assert [item[0] for item in held(opened(root), 1, 26)] == list(range(1, 27))


def test_without_a_readable_index_the_names_are_listed():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 45)
    flip(file_of(root, book, "index"), 3)
    again = opened(root)
    assert again.next == 46
    fill(again, 20)
    assert [item[0] for item in held(opened(root), 1, 65)] == list(range(1, 66))


def test_with_nothing_receipted_the_oldest_goes_and_new_readings_are_never_refused():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 40)
    first = book.first
    while book.first == first:
        assert room.evict(book)
    fill(book, 1)
    assert book.first > 1
    reasons = gone(book, 1, book.next - 1)
    assert reasons == [(1, book.first - 1, "dropped")]
    assert opened(root).first == book.first


def test_what_was_never_given_is_not_offered():
    book = opened(folder())
    assert (book.first, book.next) == (1, 1)
    assert book.open_ranges() == []
    fill(book, 2)
    assert gone(book, 1, 5) == [(3, 5, "lost")]
