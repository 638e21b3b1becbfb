# SPDX-License-Identifier: MIT
"""Rows on their way: PUBLISH packets made in one buffer that lasts a session.

A heap in pieces has no second place for a batch: as rows, as a payload, as a packet.
"""

from kahriz_node import mqtt

UP_BYTES = 1700  # a batch of 12 rows is one array
OTHER_BYTES = 600  # SUBSCRIBE, hello and whatever goes before the first array
HEAD_BYTES = 3  # kind and length of a packet
LONG = 0x80  # from here on a packet's length takes two bytes


class Page:
    """`rows` are in the packet that is being made; 0: none is."""

    def __init__(self, topic: str) -> None:
        self._bytes = bytearray(UP_BYTES + OTHER_BYTES)
        self._topic = mqtt.field(topic.encode())
        self._at = self._begin = 0  # how far it is filled; where the last packet begins
        self.rows = 0

    def put(self, data: bytes) -> None:
        """Copy something onto the end."""
        end = self._at + len(data)
        self._bytes[self._at : end] = data
        self._at = end

    def takes(self, row: bytes) -> bool:
        """Whether the array has room for it; an empty one always has."""
        return not self.rows or self._at + len(row) + 2 - self._begin <= UP_BYTES

    def add(self, row: bytes, number: int) -> None:
        """A row into the array; the first of it begins the packet of that number."""
        if self.rows:
            self.put(b",")
        else:
            self._begin = self._at
            self._at += HEAD_BYTES
            self.put(self._topic + mqtt.two(number) + b"[")
        self.put(row)
        self.rows += 1

    def taken(self) -> memoryview:
        """All that is in it, the packet finished; it is to be sent before more is put in."""
        if self.rows:
            self.put(b"]")
            size = self._at - self._begin - HEAD_BYTES
            self.put(b" " * (LONG - size))  # which JSON allows
            size = max(size, LONG)
            head = bytes((0x32, size & 0x7F | 0x80, size >> 7))
            self._bytes[self._begin : self._begin + HEAD_BYTES] = head
        whole = memoryview(self._bytes)[: self._at]
        self._at = self.rows = 0
        return whole
