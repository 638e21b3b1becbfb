# SPDX-License-Identifier: MIT
"""Room for a program comes from rows that the gateway has, never from others."""

from journals import Receipt, fill, opened, small_segments
from places import folder

from kahriz_node import room


def test_room_is_given_from_what_is_receipted_alone():
    small_segments()
    book = opened(folder())
    fill(book, 100)
    free = []
    room.free = lambda _: len(free)
    book.obey(Receipt(50, []))
    held = book.first
    evict = room.evict
    room.evict = lambda *more: evict(*more) and not free.append(1)
    assert book.give(2)
    assert len(free) == 2
    assert held < book.first <= 51
    assert not book.give(1000)
    assert [n for n, _, text, _ in book.rows(51, 100) if text is not None] == list(range(51, 101))


def test_there_is_room_without_a_row_less_when_the_flash_is_empty():
    book = opened(folder())
    fill(book, 10)
    assert book.give(1)
    assert book.first == 1
