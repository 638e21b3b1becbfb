# SPDX-License-Identifier: MIT
"""What the node keeps in RTC memory over deep sleep: a dict of whole numbers, guarded by a CRC."""

import binascii
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import State

MOST_BYTES = 2000


def load(data: bytes) -> "State":
    """The dict, or an empty one after power loss: it may vanish at any time."""
    try:
        if len(data) > 8 and int(data[:8], 16) == binascii.crc32(data[8:]) & 0xFFFFFFFF:
            state: State = json.loads(data[8:])
            return state
    except ValueError:
        pass
    return {}


def dump(state: "State") -> bytes:
    """The dict as bytes."""
    body = json.dumps(state).encode()
    if len(body) > MOST_BYTES:
        raise ValueError("RTC memory is full")
    return b"%08x" % (binascii.crc32(body) & 0xFFFFFFFF) + body
