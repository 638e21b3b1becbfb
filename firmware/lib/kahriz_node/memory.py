# SPDX-License-Identifier: MIT
"""What the node keeps in RTC memory over deep sleep: a dict of whole numbers, guarded by a CRC."""

import binascii
import json

MOST_BYTES = 2000


def load(data):
    """The dict, or an empty one after power loss: it may vanish at any time."""
    try:
        if len(data) > 8 and int(data[:8], 16) == binascii.crc32(data[8:]) & 0xFFFFFFFF:
            return json.loads(data[8:])
    except ValueError:
        pass
    return {}


def dump(state):
    """The dict as bytes."""
    body = json.dumps(state).encode()
    if len(body) > MOST_BYTES:
        raise ValueError("RTC memory is full")
    return b"%08x" % (binascii.crc32(body) & 0xFFFFFFFF) + body
