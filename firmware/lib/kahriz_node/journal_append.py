# SPDX-License-Identifier: MIT
"""Writing a reading down: into the tail, into its segment when that is full, into a new segment."""

import json
import struct

from kahriz_node import journal, keep, records
from kahriz_wire import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.journal import Journal
    from kahriz_node.shapes import Reading, Readings

ENOSPC = 28  # littlefs; the ESP32's errno module has no name for it
EVICT_TRIES = 4
LATE_MOST_S = 3600  # a clock that goes back further is not followed by waiting


def append(book: "Journal", stamp: records.Stamp, q: int, readings: "Readings") -> int:
    """Write a reading down; returns its number once it is on flash."""
    climb(book, stamp)
    for _ in range(EVICT_TRIES):
        try:
            return write(book, stamp, q, readings)
        except OSError as error:
            if error.errno != ENOSPC or not make_room(book, 1):
                raise
    raise OSError(ENOSPC, "journal")


def climb(book: "Journal", stamp: records.Stamp) -> None:
    """Stamps strictly increase within a journal."""
    if stamp.kind == records.UNKNOWN:
        return
    if stamp.s <= book.last_s:
        if book.last_s - stamp.s > LATE_MOST_S:
            stamp.kind = records.UNKNOWN
            return
        stamp.s = book.last_s + 1
        stamp.kind = records.ESTIMATED
    book.last_s = stamp.s


def write(book: "Journal", stamp: records.Stamp, q: int, readings: "Readings") -> int:
    """Where it belongs."""
    n = book.next
    if book.end is not None:
        base, skip, count = book.end
        record = book.layout.size
        size = skip + (count + 1) * record
        boots = stamp.boot - base.boot if stamp.kind == records.UNKNOWN else 0
        if size <= journal.SEGMENT_BYTES and 0 <= boots <= records.BOOTS_MOST:
            if size % journal.BLOCK_BYTES < record:
                make_room(book, 0)
            if len(book.tail) + record > journal.TAIL_BYTES:
                flush(book)
            if not book.tail:
                book.tail_at = n
            tail = book.tail + pack(book.layout, n, stamp, q, readings, base)
            with open(book.path + "tail", "wb") as file:
                file.write(tail)
            book.tail = tail
            book.end = (base, skip, count + 1)
            book.next = n + 1
            return n
    flush(book)
    make_room(book, 0)
    base = records.Base(n, book.boot)
    head = header(base, book.layout)
    firsts = book.firsts + [n]  # noqa: RUF005 - MicroPython has no * in a list
    keep.save(book.path + "index", firsts)
    with open(book.name(n), "wb") as file:
        file.write(head + pack(book.layout, n, stamp, q, readings, base))
    book.firsts = firsts
    book.end = (base, len(head), 1)
    book.next = n + 1
    return n


def make_room(book: "Journal", segments: int) -> bool:
    """Room for the next block; asked for once a block."""
    from kahriz_node import room

    return room.make(book, segments)


def flush(book: "Journal") -> None:
    """Bring the tail into its segment; what stays of it on flash is known by its number."""
    if book.tail:
        with open(book.name(book.firsts[-1]), "ab") as file:
            file.write(book.tail)
        book.tail = b""


def fits(quantity: str, scaled: int) -> bool:
    """Whether the record can hold a value."""
    letter = records.code(quantity)
    bits = 8 * struct.calcsize("<" + letter)
    if letter == letter.lower():
        return -(1 << bits - 1) <= scaled < 1 << bits - 1
    return 0 <= scaled < 1 << bits


def pack(
    layout: records.Layout,
    n: int,
    stamp: records.Stamp,
    q: int,
    readings: "Readings",
    base: records.Base,
) -> bytes:
    """A record; readings are {channel: {quantity: scaled} or a fault word}."""
    if stamp.kind == records.UNKNOWN:
        when = (stamp.boot - base.boot) << records.UP_BITS | stamp.up_s
    else:
        when = stamp.s - records.TIME_BEGINS_S
    faults = [0] * (2 * layout.fault_bytes)
    values: list[int] = []
    for at, (name, keys) in enumerate(layout.channels):
        reading: Reading = readings[name]
        if not isinstance(reading, str) and not all(fits(key, reading[key]) for key in keys):
            reading = "out_of_range"
        if isinstance(reading, str):
            words = fields.FAULT_WORDS.split()
            faults[at] = 1 + (words.index(reading) if reading in words else 0)
            values += [0] * len(keys)
        else:
            values += [reading[key] for key in keys]
    nibbles = [faults[i] | faults[i + 1] << 4 for i in range(0, len(faults), 2)]
    body = struct.pack(layout.form, when, q | stamp.kind << 4, *nibbles, *values)
    return body + records.crc(n, body)


def header(base: records.Base, layout: records.Layout) -> bytes:
    """The first bytes of a segment."""
    body = json.dumps([base.first, base.boot, [[n, list(k)] for n, k in layout.channels]]).encode()
    return records.MAGIC + struct.pack("<H", len(body)) + body + records.crc(base.first, body)
