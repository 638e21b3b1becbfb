# SPDX-License-Identifier: MIT
"""The journal on flash: every reading gets its number and is written down at once.

<root>/<journal id>/ holds segments named by their first number (8 hexadecimal digits), `tail`, the
newest records, which littlefs keeps among its names (no block is erased for it), `index`, the first
numbers of all segments (below 0: dropped), and `mark`, the gateway's last word. The index names a
segment before it is made, so it may name one too many, never one too few. A record's number is its
place, so no number is given twice as long as the files stand; a number from RTC memory or a receipt
that is ahead of them begins a new segment.

What a wake does with it one after the other is loaded one after the other: journal_open.py,
journal_append.py, room.py, journal_rows.py.
"""

from kahriz_wire import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.records import Base, Layout, Stamp
    from kahriz_node.shapes import Any, Correct, Draw, Item, Iterator, Readings, Word

BLOCK_BYTES = 4096
SEGMENT_BYTES = 16 * BLOCK_BYTES - 104  # blocks of littlefs, less its pointers between them
TAIL_BYTES = (
    128  # the most that littlefs keeps among its names: its cache, by MicroPython's defaults
)
ENOENT = 2
LEAP_MOST = 100000  # a receipt may know of this many numbers that we forgot, not of more


class Journal:
    """The open journal of a node."""

    def __init__(
        self,
        root: str,
        layout: "Layout",
        draw: "Draw",
        boot: int = 0,
        at_least: int = 1,
        correct: "Correct | None" = None,
        writable: bool = True,
    ) -> None:
        from kahriz_node import journal_open

        self.layout = layout
        self.boot = boot
        self.correct = correct or (lambda ts, tq: (ts, tq))
        self.stuck: list[list[int]] = []
        self.tail = b""  # records of the last segment that are not in its file yet
        self.tail_at = 0  # number of the first of them
        self.last_s = 0  # the latest stamp in seconds since 1970, 0 when there is none
        self.end: tuple[Base, int, int] | None = (
            None  # (base, layout, count) of the segment that takes the next record
        )
        self.next = 1
        self._mark: list[Any] | None = None
        self._saved: list[Any] | None = None
        self.id, self.firsts = journal_open.files(root, draw, writable)
        self.path = root + "/" + self.id + "/"
        journal_open.last(self)
        self.leap(at_least)

    @property
    def first(self) -> int:
        """The oldest number still held; next when there is none."""
        return self.firsts[0] if self.firsts else self.next

    def append(self, stamp: "Stamp", q: int, readings: "Readings") -> int:
        """Write a reading down; returns its number once it is on flash."""
        from kahriz_node import journal_append

        return journal_append.append(self, stamp, q, readings)

    def rows(self, a: int, b: int) -> "Iterator[Item]":
        """Yield (n, n, text, "" or "unk") for rows held, (c, d, None, reason) for what is gone."""
        from kahriz_node import journal_rows

        return journal_rows.rows(self, a, b)

    def mark(self) -> "list[Any]":
        """The gateway's last word, read when it is asked for: most wakes do not."""
        if self._mark is None:
            from kahriz_node import keep

            self._mark = self._saved = keep.load(self.path + "mark") or ["", 0, []]
        return self._mark

    def open_ranges(self) -> "list[list[int]]":
        """What the gateway has not receipted."""
        _, upto, missing = self.mark()
        return ranges.normal(missing + [[upto + 1, self.next - 1]])  # noqa: RUF005

    def obey(self, receipt: "Word") -> None:
        """Move the mark to the gateway's word; call save() when the session is over."""
        self._mark = [receipt.store, receipt.upto, ranges.normal(receipt.missing)]
        if receipt.upto < self.next + LEAP_MOST:
            self.leap(receipt.upto + 1)

    def save(self) -> None:
        """Write the mark when it moved."""
        if self._mark != self._saved:
            from kahriz_node import keep

            keep.save(self.path + "mark", self._mark)
            self._saved = self._mark

    def give(self, blocks: int) -> bool:
        """Room for something else, taken from what is receipted; False when that is too little."""
        from kahriz_node import room

        return room.give(self, blocks)

    def end_of(self, i: int) -> int:
        """The number after the last of a segment."""
        return abs(self.firsts[i + 1]) if i + 1 < len(self.firsts) else self.next

    def leap(self, at_least: int) -> None:
        """Give no number below this one; the hole is the gateway's to ask about."""
        if at_least > self.next:
            self.next = at_least
            self.end = None

    def name(self, first: int) -> str:
        """The path of a segment."""
        return self.path + f"{first:08x}"


def absent(error: OSError) -> None:
    """Any other error than a file that is not there goes on its way."""
    if error.errno != ENOENT:
        raise error
