# SPDX-License-Identifier: MIT
"""The journal on flash: every reading gets its number and is written down at once.

<root>/<journal id>/ holds segments named by their first number (8 hexadecimal digits) and `mark`,
the gateway's last word. A record's number is its place, so no number is given twice as long as the
files stand; a number from RTC memory or a receipt that is ahead of them begins a new segment.
"""

import binascii
import json
import os

from kahriz_node import records
from kahriz_wire import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Correct, Draw, Item, Iterator, Readings, Word

BLOCK_BYTES = 4096
ENOSPC = 28  # littlefs; the ESP32's errno module has no name for it
SEGMENT_BYTES = 4 * BLOCK_BYTES - 16  # four blocks of littlefs, less its pointers between them
FREE_BLOCKS_LEAST = 10  # a new segment, the file system's own copies, the mark
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
        self.id = _home(root, draw, writable)
        self._path = root + "/" + self.id + "/"
        names = os.listdir(self._path)
        self._firsts = sorted([int(name, 16) for name in names if _is_hex8(name)])
        self._mark = _read_mark(self._path + "mark")
        self._saved = self._mark
        self._last_s = 0
        self._end: tuple[records.Base, int, int] | None = (
            None  # (base, layout, count) of the segment that takes the next record
        )
        self.next = 1
        if self._firsts:
            self._open_last(self._firsts[-1])
        self._leap(at_least)

    @property
    def first(self) -> int:
        """The oldest number still held; next when there is none."""
        return self._firsts[0] if self._firsts else self.next

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
                if error.errno != ENOSPC or not self._evict():
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
        self._mark = (receipt.store, receipt.upto, ranges.normal(receipt.missing))
        if receipt.upto < self.next + LEAP_MOST:
            self._leap(receipt.upto + 1)

    def save(self) -> None:
        """Write the mark when it moved."""
        if self._mark == self._saved:
            return
        body = json.dumps(list(self._mark)).encode()
        with open(self._path + "mark.new", "wb") as file:
            file.write(b"%08x" % (binascii.crc32(body) & 0xFFFFFFFF) + body)
        os.rename(self._path + "mark.new", self._path + "mark")
        self._saved = self._mark

    def rows(self, a: int, b: int) -> "Iterator[Item]":
        """Yield (n, n, text, "" or "unk") for rows held, (c, d, None, reason) for what is gone."""
        at = a
        for i, first in enumerate(self._firsts):
            end = self._firsts[i + 1] if i + 1 < len(self._firsts) else self.next
            if end <= at or first > b:
                continue
            if at < first:
                yield at, first - 1, None, "dropped" if i == 0 else "lost"
                at = first
            for item in self._segment_rows(first, at, min(b, end - 1)):
                yield item
                at = item[1] + 1
            if at > b:
                return
        if at <= b:
            yield at, b, None, "lost" if at >= self.first else "dropped"

    def _segment_rows(self, first: int, a: int, b: int) -> "Iterator[Item]":
        with open(self._name(first), "rb") as file:
            head = records.read_header(file, first)
            if head is None:
                yield a, b, None, "crc"
                return
            base, layout, skip = head
            file.seek(skip + (a - first) * layout.size)
            while a <= b:
                data = file.read(min(CHUNK_RECORDS, b - a + 1) * layout.size)
                held = len(data) // layout.size
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
        return self._path + f"{first:08x}"

    def _open_last(self, first: int) -> None:
        size = os.stat(self._name(first))[6]
        with open(self._name(first), "rb") as file:
            head = records.read_header(file, first)
            if head is None:
                self.next = first + size // records.HEAD_BYTES + 1  # more than it can have held
                return
            base, layout, skip = head
            count = (size - skip) // layout.size
            self.next = first + count
            if (size - skip) % layout.size:  # torn: its number is not given again
                self.next += 1
            elif layout == self._layout:
                self._end = (base, skip, count)
            back = min(count, SCAN_BACK)
            file.seek(skip + (count - back) * layout.size)
            data = file.read(back * layout.size)
            for i in range(back):
                record = data[i * layout.size : (i + 1) * layout.size]
                if layout.whole(first + count - back + i, record):
                    self._last_s = max(self._last_s, layout.stamp(record, base).s)

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
            full = skip + (count + 1) * self._layout.size > SEGMENT_BYTES
            if not full and stamp.fits(base):
                record = self._layout.pack(n, stamp, q, readings, base)
                with open(self._name(base.first), "ab") as file:
                    file.write(record)
                self._end = (base, skip, count + 1)
                self.next = n + 1
                return n
        self._make_room()
        base = records.Base(n, self._boot)
        head = records.header(base, self._layout)
        with open(self._name(n), "wb") as file:
            file.write(head + self._layout.pack(n, stamp, q, readings, base))
        self._firsts.append(n)
        self._end = (base, len(head), 1)
        self.next = n + 1
        return n

    def give(self, blocks: int) -> bool:
        """Room for something else, taken from what is receipted; False when that is too little."""
        while self._free() < blocks:
            if not self._evict(True):
                return False
        return True

    def _free(self) -> int:
        stat = os.statvfs(self._path)
        return stat[3] * stat[0] // BLOCK_BYTES

    def _make_room(self) -> None:
        free = self._free()
        while free < FREE_BLOCKS_LEAST and self._evict():
            free += 4

    def _evict(self, receipted: bool = False) -> bool:
        """Drop a segment: the oldest that is receipted, else the oldest; never the one in use."""
        old = self._firsts if self._end is None else self._firsts[:-1]
        if not old:
            return False
        wanted = self.open_ranges()
        victim = None if receipted else old[0]
        for i, first in enumerate(old):
            end = self._firsts[i + 1] if i + 1 < len(self._firsts) else self.next
            if not ranges.common([[first, end - 1]], wanted):
                victim = first
                break
        if victim is None:
            return False
        os.remove(self._name(victim))
        self._firsts.remove(victim)
        return True


def _home(root: str, draw: "Draw", writable: bool) -> str:
    """The journal's id: the name of its folder, drawn when there is none yet."""
    try:
        names = [name for name in os.listdir(root) if _is_hex8(name)]
    except OSError:
        if not writable:
            raise
        os.mkdir(root)
        names = []
    if names:
        return sorted(names)[0]
    name = draw()
    os.mkdir(root + "/" + name)
    return name


def _is_hex8(name: str) -> bool:
    return len(name) == 8 and all(c in "0123456789abcdef" for c in name)


def _read_mark(path: str) -> "tuple[str, int, list[list[int]]]":
    """(store, upto, missing); a mark that cannot be read only costs a second delivery."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        if int(data[:8], 16) == binascii.crc32(data[8:]) & 0xFFFFFFFF:
            store, upto, missing = json.loads(data[8:])
            return store, upto, missing
    except (OSError, ValueError):
        pass
    return "", 0, []
