# SPDX-License-Identifier: MIT
"""Reading the journal back: rows as the contract wants them, and the reason where there is none."""

import struct

from kahriz_node import records
from kahriz_node.journal import absent
from kahriz_wire import fields, outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.journal import Journal
    from kahriz_node.shapes import Correct, Item, Iterator

CHUNK_RECORDS = 8


def rows(book: "Journal", a: int, b: int) -> "Iterator[Item]":
    """Yield (n, n, text, "" or "unk") for rows held, (c, d, None, reason) for what is gone."""
    if a < book.first:
        yield a, min(b, book.first - 1), None, "dropped"
        a = book.first
    for i, first in enumerate(book.firsts):
        last = min(b, book.end_of(i) - 1)
        if a > last or abs(first) > b:
            continue
        if first < 0:
            yield a, last, None, "dropped"
        else:
            yield from of_segment(book, first, a, last)
        a = last + 1
    if a <= b:
        yield a, b, None, "lost"


def of_segment(book: "Journal", first: int, a: int, b: int) -> "Iterator[Item]":
    """Those of one file, and of the tail behind it."""
    try:
        file = open(book.name(first), "rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        absent(error)  # the power went between the dropping and the index
        yield a, b, None, "dropped"
        return
    with file:
        head = records.read_header(file, first, book.layout)
        if head is None:
            yield a, b, None, "crc"
            return
        base, layout, skip = head
        file.seek(skip + (a - first) * layout.size)
        while a <= b:
            data = file.read(min(CHUNK_RECORDS, b - a + 1) * layout.size)
            if not data and first == book.firsts[-1] and a >= book.tail_at:
                data = book.tail[(a - book.tail_at) * layout.size :]
            held = min(len(data) // layout.size, b - a + 1)
            if not held:
                yield a, b, None, "lost"
                return
            for i in range(held):
                record = data[i * layout.size : (i + 1) * layout.size]
                if layout.whole(a, record):
                    text, word = row(layout, a, record, base, book.correct)
                    yield a, a, text, word
                else:
                    yield a, a, None, "crc"
                a += 1


def row(
    layout: records.Layout, n: int, record: bytes, base: records.Base, correct: "Correct"
) -> "tuple[str, str]":
    """A record as the JSON text of a row, and "unk" or ""."""
    numbers = struct.unpack(layout.form, record[: -records.CRC_BYTES])
    at = 2 + layout.fault_bytes  # of the values
    pairs = []
    for i, (name, keys) in enumerate(layout.channels):
        fault = numbers[2 + i // 2] >> 4 * (i % 2) & 15
        if fault:
            pairs.append((name + "_fault", '"' + fields.FAULT_WORDS.split()[fault - 1] + '"'))
        else:
            for j, key in enumerate(keys):
                value = fields.point(numbers[at + j], fields.measured(key)[1])
                pairs.append((name + "_" + key, value))
        at += len(keys)
    q = numbers[1] & 15
    stamp = layout.stamp(record, base)
    if stamp.kind == records.UNKNOWN:
        return outgoing.row_text(n, q, pairs, None, "unk", stamp.up_s, stamp.boot), "unk"
    ts, tq = correct(stamp.s * 1000, "est" if stamp.kind == records.ESTIMATED else None)
    return outgoing.row_text(n, q, pairs, ts, tq), ""
