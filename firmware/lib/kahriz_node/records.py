# SPDX-License-Identifier: MIT
"""The journal's binary form: a header that says what the records hold, and records of fixed size.

A record of two channels is 16 bytes: time, flags, fault of each channel (half a byte), the values,
and 24 bits of CRC over all that and the reading's number. What a faulty channel would have read is
written as zeros; the fault says that there is no value.
"""

import binascii
import json
import struct

from kahriz_wire import fields, outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import BinaryIO, Correct, Reading, Readings

TIME_BEGINS_S = 1577836800  # 2020-01-01; 32 bits of seconds reach to 2156
CRC_BYTES = 3
SYNCED = 0
ESTIMATED = 1
UNKNOWN = 2
UP_BITS = 22  # an unknown time is boot (10 bits, from the header's on) and seconds since power-on
UP_MOST = (1 << UP_BITS) - 1
BOOTS_MOST = (1 << (32 - UP_BITS)) - 1
MAGIC = b"KJ1"
HEAD_BYTES = 5  # magic and length


class Stamp:
    """When a reading was taken: `s` since 1970, or up_s and boot while the time is unknown."""

    def __init__(self, s: int, kind: int, up_s: int = 0, boot: int = 0) -> None:
        self.s = s
        self.kind = kind
        self.up_s = min(up_s, UP_MOST)
        self.boot = boot

    def fits(self, base: "Base") -> bool:
        """Whether a segment that counts from `base` can hold it."""
        return self.kind != UNKNOWN or 0 <= self.boot - base.boot <= BOOTS_MOST


def code(quantity: str) -> str:
    """The struct letter that holds the plausible range of a quantity as a scaled integer."""
    _, decimals, low, high = fields.measured(quantity)
    scale = 10**decimals
    most = max(high, -low) * scale
    if low < 0:
        return "b" if most <= 127 else "h" if most <= 32767 else "i"
    return "B" if most <= 255 else "H" if most <= 65535 else "I"


def fits(quantity: str, scaled: int) -> bool:
    """Whether the record can hold a value."""
    letter = code(quantity)
    bits = {"b": 8, "h": 16, "i": 32}[letter.lower()]
    if letter == letter.lower():
        return -(1 << bits - 1) <= scaled < 1 << bits - 1
    return 0 <= scaled < 1 << bits


class Layout:
    """What the records of one segment hold: channels, each with its quantities."""

    def __init__(self, channels: "list[tuple[str, tuple[str, ...]]]") -> None:
        self.channels = [(name, tuple(keys)) for name, keys in channels]
        letters = "".join([code(key) for _, keys in self.channels for key in keys])
        self._form = "<IB" + "B" * self._fault_bytes() + letters
        self.size = struct.calcsize(self._form) + CRC_BYTES

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.channels == other.channels

    def __hash__(self) -> int:
        return hash(self._form)

    def _fault_bytes(self) -> int:
        return (len(self.channels) + 1) // 2

    def pack(self, n: int, stamp: Stamp, q: int, readings: "Readings", base: "Base") -> bytes:
        """A record; readings are {channel: {quantity: scaled} or a fault word}."""
        if stamp.kind == UNKNOWN:
            when = (stamp.boot - base.boot) << UP_BITS | stamp.up_s
        else:
            when = stamp.s - TIME_BEGINS_S
        faults = [0] * (2 * self._fault_bytes())
        values: list[int] = []
        for at, (name, keys) in enumerate(self.channels):
            reading: Reading = readings[name]
            if not isinstance(reading, str) and not all(fits(key, reading[key]) for key in keys):
                reading = "out_of_range"
            if isinstance(reading, str):
                word = reading if reading in fields.FAULTS else fields.FAULTS[0]
                faults[at] = 1 + fields.FAULTS.index(word)
                values += [0] * len(keys)
            else:
                values += [reading[key] for key in keys]
        nibbles = [faults[i] | faults[i + 1] << 4 for i in range(0, len(faults), 2)]
        body = struct.pack(self._form, when, q | stamp.kind << 4, *nibbles, *values)
        return body + _crc(n, body)

    def whole(self, n: int, record: bytes) -> bool:
        """Whether a record is the one that was written under this number."""
        return len(record) == self.size and record[-CRC_BYTES:] == _crc(n, record[:-CRC_BYTES])

    def stamp(self, record: bytes, base: "Base") -> Stamp:
        """The time of a record."""
        when, flags = struct.unpack("<IB", record[:5])
        kind = flags >> 4
        if kind == UNKNOWN:
            return Stamp(0, kind, when & UP_MOST, base.boot + (when >> UP_BITS))
        return Stamp(when + TIME_BEGINS_S, kind)

    def text(self, n: int, record: bytes, base: "Base", correct: "Correct") -> "tuple[str, str]":
        """A record as the JSON text of a row, and "unk" or ""."""
        numbers = struct.unpack(self._form, record[:-CRC_BYTES])
        nibbles = numbers[2 : 2 + self._fault_bytes()]
        values = numbers[2 + self._fault_bytes() :]
        pairs = []
        at = 0
        for i, (name, keys) in enumerate(self.channels):
            fault = nibbles[i // 2] >> 4 * (i % 2) & 15
            if fault:
                pairs.append((name + "_fault", '"' + fields.FAULTS[fault - 1] + '"'))
            else:
                for j, key in enumerate(keys):
                    pairs.append(
                        (name + "_" + key, fields.point(values[at + j], fields.measured(key)[1]))
                    )
            at += len(keys)
        q = numbers[1] & 15
        stamp = self.stamp(record, base)
        if stamp.kind == UNKNOWN:
            return outgoing.row_text(n, q, pairs, None, "unk", stamp.up_s, stamp.boot), "unk"
        ts, tq = correct(stamp.s * 1000, "est" if stamp.kind == ESTIMATED else None)
        return outgoing.row_text(n, q, pairs, ts, tq), ""


class Base:
    """What the records of a segment count from: number of the first, boot of unknown times."""

    def __init__(self, first: int, boot: int) -> None:
        self.first = first
        self.boot = boot


def header(base: Base, layout: Layout) -> bytes:
    """The first bytes of a segment."""
    body = json.dumps([base.first, base.boot, [[n, list(k)] for n, k in layout.channels]]).encode()
    return MAGIC + struct.pack("<H", len(body)) + body + _crc(base.first, body)


def read_header(file: "BinaryIO", first: int) -> "tuple[Base, Layout, int] | None":
    """(base, layout, its size in bytes), or None when the header is broken."""
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or head[:3] != MAGIC:
        return None
    size = struct.unpack("<H", head[3:])[0]
    rest = file.read(size + CRC_BYTES)
    body = rest[:size]
    if len(rest) < size + CRC_BYTES or rest[size:] != _crc(first, body):
        return None
    number, boot, channels = json.loads(body)
    if number != first:
        return None
    return Base(first, boot), Layout(channels), HEAD_BYTES + size + CRC_BYTES


def _crc(n: int, body: bytes) -> bytes:
    crc = binascii.crc32(body, binascii.crc32(struct.pack("<I", n)))
    return struct.pack("<I", crc & 0xFFFFFF)[:CRC_BYTES]
