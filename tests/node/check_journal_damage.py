# SPDX-License-Identifier: MIT
"""A journal with flipped bits and torn files: what is lost is told, no number is given twice."""

import os

from journals import LAYOUT, Receipt, file_of, fill, flip, gone, held, opened
from places import folder


def test_a_flipped_bit_costs_one_record_and_is_told():
    root = folder()
    book = opened(root)
    fill(book, 20)
    flip(file_of(root, book), 2 * LAYOUT.size + 5)
    again = opened(root)
    ((a, b, word),) = gone(again, 1, 20)
    assert (a, word) == (b, "crc")
    assert again.next == 21


def test_a_flipped_bit_in_the_tail_costs_one_record_and_no_number_is_given_twice():
    flash = folder()
    for broken in (1, 3, 5):  # the last, one between, the first
        root = flash + "/" + str(broken)
        os.mkdir(root)
        book = opened(root)
        fill(book, 6)
        flip(file_of(root, book, "tail"), broken * LAYOUT.size - 5)
        again = opened(root)
        assert gone(again, 1, 6) == [(7 - broken, 7 - broken, "crc")]
        assert again.next == 7


def test_a_tail_without_its_file_or_a_file_without_its_tail_gives_no_number_twice():
    root = folder()
    book = opened(root)
    fill(book, 6)
    with open(file_of(root, book, "tail"), "rb") as file:
        tail = file.read()
    fill(book, 6)  # the first six are in the file now
    with open(file_of(root, book, "tail"), "wb") as file:
        file.write(tail)  # as after a cut between the two writes
    again = opened(root)
    n = again.next
    assert n > 9
    fill(again, 1)
    assert [item[0] for item in held(again, 1, n)] == list(range(1, n + 1))


def test_a_torn_record_gives_no_number_twice_and_the_hole_is_told():
    root = folder()
    book = opened(root)
    fill(book, 12)
    with open(file_of(root, book), "ab") as file:
        file.write(b"half a")
    again = opened(root)
    n = again.next
    assert n > 12
    fill(again, 1)
    rows = [item[0] for item in held(again, 1, n)]
    assert rows[:-1] == list(range(1, len(rows)))
    assert rows[-1] == n
    assert gone(again, 1, n) == [(len(rows), n - 1, "lost")]


def test_a_broken_header_costs_its_segment_and_no_number_twice():
    root = folder()
    book = opened(root)
    fill(book, 5)
    path = root + "/journal/" + book.id + "/00000001"
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[9] ^= 1
    with open(path, "wb") as file:
        file.write(data)
    again = opened(root)
    assert again.next > 5
    n = again.next
    fill(again, 1)
    assert gone(again, 1, n) == [(1, n - 1, "crc")]


def test_a_broken_mark_costs_a_second_delivery_only():
    root = folder()
    book = opened(root)
    fill(book, 4)
    book.obey(Receipt(4))
    book.save()
    with open(root + "/journal/" + book.id + "/mark", "wb") as file:
        file.write(b"00000000[1]")
    again = opened(root)
    assert again.open_ranges() == [[1, 4]]
    assert again.next == 5
