# SPDX-License-Identifier: MIT
"""What the node keeps in RTC memory over deep sleep; values as bytes that are guarded by a CRC."""

import binascii
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, State

MOST_BYTES = 2000


def crc(data: bytes) -> bytes:
    """Eight hexadecimal digits."""
    return b"%08x" % (binascii.crc32(data) & 0xFFFFFFFF)


def seal(value: "Any") -> bytes:
    """A value as bytes."""
    body = json.dumps(value).encode()
    return crc(body) + body


def opened(data: bytes) -> "Any":
    """What was sealed, or None when it is not whole."""
    try:
        if data[:8] == crc(data[8:]):
            return json.loads(data[8:])
    except ValueError:
        pass
    return None


def load(data: bytes) -> "State":
    """The dict, or an empty one after power loss: it may vanish at any time."""
    state: State = opened(data) or {}
    return state


def dump(state: "State") -> bytes:
    """The dict as bytes."""
    data = seal(state)
    if len(data) > MOST_BYTES:
        raise ValueError("RTC memory is full")
    return data
