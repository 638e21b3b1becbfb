# SPDX-License-Identifier: MIT
"""Room on flash, taken from the journal: asked for once a block of rows, and before an update."""

import os

from kahriz_node import keep
from kahriz_node.journal import absent
from kahriz_wire import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.journal import Journal

BLOCK_BYTES = 4096
FREE_BLOCKS_LEAST = 10  # the next block, the file system's own copies, the mark


def make(book: "Journal", segments: int = 0) -> bool:
    """Room for the next block, and at least so many segments less; False when there is nothing."""
    while segments or free(book) < FREE_BLOCKS_LEAST:
        if not evict(book):
            return False
        segments = 0
    return True


def give(book: "Journal", blocks: int) -> bool:
    """Room for something else, taken from what is receipted; False when that is too little."""
    while free(book) < blocks:
        if not evict(book, True):
            return False
    return True


def free(book: "Journal") -> int:
    """Blocks that are not in use."""
    stat = os.statvfs(book.path)
    return stat[3] * stat[0] // BLOCK_BYTES


def evict(book: "Journal", receipted: bool = False) -> bool:
    """Drop a segment: the oldest that is receipted, else the oldest; never the last."""
    wanted = book.open_ranges()
    old = book.firsts[:-1]
    for i, first in enumerate(old):
        if first > 0 and not ranges.common([[first, book.end_of(i) - 1]], wanted):
            drop(book, i)
            return True
    if receipted or not old:
        return False
    drop(book, 0)
    return True


def drop(book: "Journal", i: int) -> None:
    """Take a segment away, and keep in the index that it was."""
    try:
        os.remove(book.name(book.firsts[i]))
    except OSError as error:
        absent(error)
    book.firsts[i] = -book.firsts[i]
    kept: list[int] = []
    for one in book.firsts:
        if one > 0 or (kept and kept[-1] > 0):
            kept.append(one)
    book.firsts = kept
    keep.save(book.path + "index", kept)
