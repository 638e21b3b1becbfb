# SPDX-License-Identifier: MIT
"""Opening the journal: which segments there are, and what of the last one and the tail stands."""

import os

from kahriz_node import keep, records
from kahriz_node.journal import TAIL_BYTES, absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.journal import Journal
    from kahriz_node.shapes import Draw

SCAN_BACK = 32  # records looked through for the latest stamp


def files(root: str, draw: "Draw", writable: bool) -> "tuple[str, list[int]]":
    """The journal's id, the first numbers of its segments."""
    name = keep.home(root, draw, writable)
    path = root + "/" + name + "/"
    firsts: list[int] = keep.load(path + "index") or sorted(
        [int(one, 16) for one in os.listdir(path) if keep.is_hex8(one)]
    )
    return name, firsts


def last(book: "Journal") -> None:
    """Find the number of the next record, the segment that takes it, the latest stamp."""
    while book.firsts:
        try:
            segment(book, book.firsts[-1])
            return
        except OSError as error:
            absent(error)
            book.firsts.pop()  # the power went before it was made


def segment(book: "Journal", first: int) -> None:
    """The last one."""
    with open(book.name(first), "rb") as file:
        head = records.read_header(file, first, book.layout)
        size = file.seek(0, 2)
        if head is None:  # more than it can have held
            book.next = first + size // records.HEAD_BYTES + TAIL_BYTES
            return
        base, layout, skip = head
        count = (size - skip) // layout.size
        back = min(count, SCAN_BACK)
        file.seek(skip + (count - back) * layout.size)
        data = file.read(back * layout.size)
    book.next = at = first + count
    if (size - skip) % layout.size:  # torn: no number that the tail may have is given again
        book.next += TAIL_BYTES
    else:
        tail(book, layout)
        data += book.tail
        book.next += len(book.tail) // layout.size
        if layout is book.layout:
            book.end = (base, skip, book.next - first)
    for i in range(0, len(data), layout.size):
        record = data[i : i + layout.size]
        if layout.whole(at - back + i // layout.size, record):
            book.last_s = max(book.last_s, layout.stamp(record, base).s)


def tail(book: "Journal", layout: records.Layout) -> None:
    """The tail goes on where the file ends; other records are in the file already."""
    try:
        with open(book.path + "tail", "rb") as file:
            data = file.read()
    except OSError as error:
        absent(error)
        return
    for i in range(len(data) // layout.size):
        if layout.whole(book.next + i, data[i * layout.size : (i + 1) * layout.size]):
            book.tail = data
            book.tail_at = book.next
