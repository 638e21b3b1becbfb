# SPDX-License-Identifier: MIT
"""The journal's binary form: a header that says what the records hold, and records of fixed size.

A record of two channels is 16 bytes: time, flags, fault of each channel (half a byte), the values,
and 24 bits of CRC over all that and the reading's number. journal_append.py makes
them, journal_rows.py makes rows of them.
"""

import binascii
import json
import struct

from kahriz_wire import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import BinaryIO

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


def code(quantity: str) -> str:
    """The struct letter that holds the plausible range of a quantity as a scaled integer."""
    _, decimals, low, high = fields.measured(quantity)
    scale = 10**decimals
    most = max(high, -low) * scale
    if low < 0:
        return "b" if most <= 127 else "h" if most <= 32767 else "i"
    return "B" if most <= 255 else "H" if most <= 65535 else "I"


class Layout:
    """What the records of one segment hold: channels, each with its quantities."""

    def __init__(self, channels: "list[tuple[str, tuple[str, ...]]]") -> None:
        self.channels = [(name, tuple(keys)) for name, keys in channels]
        self.fault_bytes = (len(channels) + 1) // 2
        letters = "".join([code(key) for _, keys in self.channels for key in keys])
        self.form = "<IB" + "B" * self.fault_bytes + letters
        self.size = struct.calcsize(self.form) + CRC_BYTES

    def whole(self, n: int, record: bytes) -> bool:
        """Whether a record is the one that was written under this number."""
        return len(record) == self.size and record[-CRC_BYTES:] == crc(n, record[:-CRC_BYTES])

    def stamp(self, record: bytes, base: "Base") -> Stamp:
        """The time of a record."""
        when, flags = struct.unpack("<IB", record[:5])
        kind = flags >> 4
        if kind == UNKNOWN:
            return Stamp(0, kind, when & UP_MOST, base.boot + (when >> UP_BITS))
        return Stamp(when + TIME_BEGINS_S, kind)


class Base:
    """What the records of a segment count from: number of the first, boot of unknown times."""

    def __init__(self, first: int, boot: int) -> None:
        self.first = first
        self.boot = boot


def read_header(
    file: "BinaryIO", first: int, usual: "Layout | None"
) -> "tuple[Base, Layout, int] | None":
    """(base, layout, the header's bytes), None when it is broken; `usual` when it is as that."""
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or head[:3] != MAGIC:
        return None
    size = struct.unpack("<H", head[3:])[0]
    rest = file.read(size + CRC_BYTES)
    body = rest[:size]
    if len(rest) < size + CRC_BYTES or rest[size:] != crc(first, body):
        return None
    number, boot, channels = json.loads(body)
    if number != first:
        return None
    if usual is not None and channels == [[n, list(k)] for n, k in usual.channels]:
        layout = usual
    else:
        layout = Layout(channels)
    return Base(first, boot), layout, HEAD_BYTES + size + CRC_BYTES


def crc(n: int, body: bytes) -> bytes:
    """Of a record or a header and the number it stands under."""
    value = binascii.crc32(body, binascii.crc32(struct.pack("<I", n)))
    return struct.pack("<I", value & 0xFFFFFF)[:CRC_BYTES]
