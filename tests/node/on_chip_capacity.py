# SPDX-License-Identifier: MIT
"""What the flash holds and what opening it costs, on the chip's own littlefs."""

import os

from journals import LAYOUT, Receipt, fill, opened
from places import BLOCK_BYTES, Flash, mounted

from kahriz_node import journal, room


def test_a_row_of_two_channels_takes_at_most_17_bytes_with_the_file_system():
    root = mounted(Flash(30))
    book = opened(root)
    free = os.statvfs(root)[3]  # the folders stand, once for all segments
    rows = 0
    segment = None
    while segment is None or rows < segment:  # exactly one segment, up to its last record
        fill(book, 1)
        rows += 1
        if segment is None and rows == 2:
            size = os.stat(root + "/journal/" + book.id + "/00000001")[6]  # one row
            segment = (journal.SEGMENT_BYTES - (size - LAYOUT.size)) // LAYOUT.size
    used = (free - os.statvfs(root)[3]) * BLOCK_BYTES
    assert len(book.firsts) == 1
    assert used / rows <= 17


def test_opening_costs_as_little_with_a_backlog_as_without():
    journal.SEGMENT_BYTES = 125 + 4 * LAYOUT.size
    device = Flash(18)
    root = mounted(device)
    costs = []
    for count in (4, 30):
        fill(opened(root), count)
        device.reads = 0
        opened(root)
        costs.append(device.reads)
    assert costs[1] <= 3 * costs[0]


def test_a_full_flash_goes_on_for_ever_and_loses_only_the_oldest():
    journal.SEGMENT_BYTES = 125 + 12 * LAYOUT.size
    room.FREE_BLOCKS_LEAST = 6
    root = mounted(Flash(16))
    book = opened(root)
    for _ in range(40):
        fill(book, 6)
        book = opened(root)
    assert book.next == 241
    assert 1 < book.first < 230
    texts = [item for item in book.rows(book.first, 240) if item[2] is not None]
    assert len(texts) == 241 - book.first


def test_receipted_rows_make_room_before_any_other():
    journal.SEGMENT_BYTES = 125 + 12 * LAYOUT.size
    room.FREE_BLOCKS_LEAST = 6
    root = mounted(Flash(20))
    book = opened(root)
    fill(book, 30)
    wanted = set(range(1, 13))
    while book.next < 200:
        fill(book, 6)
        book.obey(Receipt(book.next - 1, [[1, 12]]))
    held = {item[0] for item in book.rows(1, 199) if item[2] is not None}
    assert wanted <= held
