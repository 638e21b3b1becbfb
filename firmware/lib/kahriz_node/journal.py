# SPDX-License-Identifier: MIT
"""The journal on flash: every reading gets its number and is written down at once.

<root>/<journal id>/ holds segments named by their first number (8 hexadecimal digits), `tail`, the
newest records, which littlefs keeps among its names (no block is erased for it), `index`, the first
numbers of all segments (below 0: dropped), and `mark`, the gateway's last word. The index names a
segment before it is made, so it may name one too many, never one too few. A record's number is its
place, so no number is given twice as long as the files stand; a number from RTC memory or a receipt
that is ahead of them begins a new segment.
"""

import os

from kahriz_node import keep, records
from kahriz_wire import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Correct, Draw, Item, Iterator, Readings, Word

BLOCK_BYTES = 4096
ENOSPC = 28  # littlefs; the ESP32's errno module has no name for it
SEGMENT_BYTES = 16 * BLOCK_BYTES - 104  # blocks of littlefs, less its pointers between them
TAIL_BYTES = (
    128  # the most that littlefs keeps among its names: its cache, by MicroPython's defaults
)
EVICT_TRIES = 4
LEAP_MOST = 100000  # a receipt may know of this many numbers that we forgot, not of more
SCAN_BACK = 32  # records looked through for the latest stamp
CHUNK_RECORDS = 32
LATE_MOST_S = 3600  # a clock that goes back further is not followed by waiting


class Journal:
    """The open journal of a node."""

    def __init__(
        self,
        root: str,
        layout: records.Layout,
        draw: "Draw",
        boot: int = 0,
        at_least: int = 1,
        correct: "Correct | None" = None,
        writable: bool = True,
    ) -> None:
        self._layout = layout
        self._boot = boot
        self._correct = correct or (lambda ts, tq: (ts, tq))
        self.stuck: list[list[int]] = []
        self.id = keep.home(root, draw, writable)
        self.path = root + "/" + self.id + "/"
        self.firsts: list[int] = keep.load(self.path + "index") or sorted(
            [int(name, 16) for name in os.listdir(self.path) if keep.is_hex8(name)]
        )
        self._mark: list[Any] = keep.load(self.path + "mark") or ["", 0, []]
        self._saved = self._mark
        self._tail = b""  # records of the last segment that are not in its file yet
        self._tail_at = 0  # number of the first of them
        self._last_s = 0
        self._end: tuple[records.Base, int, int] | None = (
            None  # (base, layout, count) of the segment that takes the next record
        )
        self.next = 1
        while self.firsts:
            try:
                self._open_last(self.firsts[-1])
                break
            except OSError as error:
                keep.absent(error)
                self.firsts.pop()  # the power went before it was made
        self._leap(at_least)

    @property
    def first(self) -> int:
        """The oldest number still held; next when there is none."""
        return self.firsts[0] if self.firsts else self.next

    @property
    def last_s(self) -> int:
        """The latest stamp in seconds since 1970, 0 when there is none."""
        return self._last_s

    def append(self, stamp: records.Stamp, q: int, readings: "Readings") -> int:
        """Write a reading down; returns its number once it is on flash."""
        self._climb(stamp)
        for _ in range(EVICT_TRIES):
            try:
                return self._append(stamp, q, readings)
            except OSError as error:
                if error.errno != ENOSPC or not self._room(1):
                    raise
        raise OSError(ENOSPC, "journal")

    def open_ranges(self) -> "list[list[int]]":
        """What the gateway has not receipted."""
        _, upto, missing = self._mark
        wanted = list(missing)
        wanted.append([upto + 1, self.next - 1])
        return ranges.normal(wanted)

    def obey(self, receipt: "Word") -> None:
        """Move the mark to the gateway's word; call save() when the session is over."""
        self._mark = [receipt.store, receipt.upto, ranges.normal(receipt.missing)]
        if receipt.upto < self.next + LEAP_MOST:
            self._leap(receipt.upto + 1)

    def save(self) -> None:
        """Write the mark when it moved."""
        if self._mark != self._saved:
            keep.save(self.path + "mark", self._mark)
            self._saved = self._mark

    def rows(self, a: int, b: int) -> "Iterator[Item]":
        """Yield (n, n, text, "" or "unk") for rows held, (c, d, None, reason) for what is gone."""
        if a < self.first:
            yield a, min(b, self.first - 1), None, "dropped"
            a = self.first
        for i, first in enumerate(self.firsts):
            last = min(b, self.end_of(i) - 1)
            if a > last or abs(first) > b:
                continue
            if first < 0:
                yield a, last, None, "dropped"
            else:
                yield from self._segment_rows(first, a, last)
            a = last + 1
        if a <= b:
            yield a, b, None, "lost"

    def end_of(self, i: int) -> int:
        """The number after the last of a segment."""
        return abs(self.firsts[i + 1]) if i + 1 < len(self.firsts) else self.next

    def _segment_rows(self, first: int, a: int, b: int) -> "Iterator[Item]":
        try:
            file = open(self._name(first), "rb")  # noqa: SIM115 - closed by the with below
        except OSError as error:
            keep.absent(error)  # the power went between the dropping and the index
            yield a, b, None, "dropped"
            return
        with file:
            head = records.read_header(file, first)
            if head is None:
                yield a, b, None, "crc"
                return
            base, layout, skip = head
            file.seek(skip + (a - first) * layout.size)
            while a <= b:
                data = file.read(min(CHUNK_RECORDS, b - a + 1) * layout.size)
                if not data and first == self.firsts[-1] and a >= self._tail_at:
                    data = self._tail[(a - self._tail_at) * layout.size :]
                held = min(len(data) // layout.size, b - a + 1)
                if not held:
                    yield a, b, None, "lost"
                    return
                for i in range(held):
                    record = data[i * layout.size : (i + 1) * layout.size]
                    if layout.whole(a, record):
                        text, word = layout.text(a, record, base, self._correct)
                        yield a, a, text, word
                    else:
                        yield a, a, None, "crc"
                    a += 1

    def _name(self, first: int) -> str:
        return self.path + f"{first:08x}"

    def _open_last(self, first: int) -> None:
        with open(self._name(first), "rb") as file:
            head = records.read_header(file, first)
            size = file.seek(0, 2)
            if head is None:  # more than it can have held
                self.next = first + size // records.HEAD_BYTES + TAIL_BYTES
                return
            base, layout, skip = head
            count = (size - skip) // layout.size
            back = min(count, SCAN_BACK)
            file.seek(skip + (count - back) * layout.size)
            data = file.read(back * layout.size)
        self.next = at = first + count
        if (size - skip) % layout.size:  # torn: no number that the tail may have is given again
            self.next += TAIL_BYTES
        else:
            self._open_tail(layout)
            data += self._tail
            self.next += len(self._tail) // layout.size
            if layout == self._layout:
                self._end = (base, skip, self.next - first)
        for i in range(0, len(data), layout.size):
            record = data[i : i + layout.size]
            if layout.whole(at - back + i // layout.size, record):
                self._last_s = max(self._last_s, layout.stamp(record, base).s)

    def _open_tail(self, layout: records.Layout) -> None:
        """The tail goes on where the file ends; other records are in the file already."""
        try:
            with open(self.path + "tail", "rb") as file:
                data = file.read()
        except OSError as error:
            keep.absent(error)
            return
        for i in range(len(data) // layout.size):
            if layout.whole(self.next + i, data[i * layout.size : (i + 1) * layout.size]):
                self._tail = data
                self._tail_at = self.next

    def _leap(self, at_least: int) -> None:
        """Give no number below this one; the hole is the gateway's to ask about."""
        if at_least > self.next:
            self.next = at_least
            self._end = None

    def _climb(self, stamp: records.Stamp) -> None:
        """Stamps strictly increase within a journal."""
        if stamp.kind == records.UNKNOWN:
            return
        if stamp.s <= self._last_s:
            if self._last_s - stamp.s > LATE_MOST_S:
                stamp.kind = records.UNKNOWN
                return
            stamp.s = self._last_s + 1
            stamp.kind = records.ESTIMATED
        self._last_s = stamp.s

    def _append(self, stamp: records.Stamp, q: int, readings: "Readings") -> int:
        n = self.next
        if self._end is not None:
            base, skip, count = self._end
            record = self._layout.size
            size = skip + (count + 1) * record
            if size <= SEGMENT_BYTES and stamp.fits(base):
                if size % BLOCK_BYTES < record:
                    self._room(0)
                if len(self._tail) + record > TAIL_BYTES:
                    self._flush()
                if not self._tail:
                    self._tail_at = n
                tail = self._tail + self._layout.pack(n, stamp, q, readings, base)
                with open(self.path + "tail", "wb") as file:
                    file.write(tail)
                self._tail = tail
                self._end = (base, skip, count + 1)
                self.next = n + 1
                return n
        self._flush()
        self._room(0)
        base = records.Base(n, self._boot)
        head = records.header(base, self._layout)
        firsts = self.firsts + [n]  # noqa: RUF005 - MicroPython has no * in a list
        keep.save(self.path + "index", firsts)
        with open(self._name(n), "wb") as file:
            file.write(head + self._layout.pack(n, stamp, q, readings, base))
        self.firsts = firsts
        self._end = (base, len(head), 1)
        self.next = n + 1
        return n

    def give(self, blocks: int) -> bool:
        """Room for something else, taken from what is receipted; False when that is too little."""
        from kahriz_node import room

        return room.give(self, blocks)

    def _room(self, segments: int) -> bool:
        from kahriz_node import room

        return room.make(self, segments)

    def _flush(self) -> None:
        """Bring the tail into its segment; what stays of it on flash is known by its number."""
        if self._tail:
            with open(self._name(self.firsts[-1]), "ab") as file:
                file.write(self._tail)
            self._tail = b""

    def drop(self, i: int) -> None:
        """Take a segment away, and keep in the index that it was."""
        try:
            os.remove(self._name(self.firsts[i]))
        except OSError as error:
            keep.absent(error)
        self.firsts[i] = -self.firsts[i]
        kept: list[int] = []
        for one in self.firsts:
            if one > 0 or (kept and kept[-1] > 0):
                kept.append(one)
        self.firsts = kept
        keep.save(self.path + "index", kept)
