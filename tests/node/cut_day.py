# SPDX-License-Identifier: MIT
"""A short day of a node on littlefs, every flash operation recorded: cut_day.py LIB FOLDER LOG.

LOG holds (offset, length, data) of each operation, erasures included; what was acknowledged after
how many operations goes to the output, one JSON line each.
"""

import json
import struct
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

from journals import BEGIN_S, Receipt, opened, reading
from places import Flash, mounted

from kahriz_node import journal, records, room

BLOCKS = 16
journal.SEGMENT_BYTES = 300  # about ten records: the day fills segments and drops some
room.FREE_BLOCKS_LEAST = 4

operations = 0
out = open(sys.argv[3], "wb")  # noqa: SIM115


def log(at, data):
    global operations
    operations += 1
    out.write(struct.pack("<II", at, len(data)) + data)


def say(what, **more):
    more["what"] = what
    more["operations"] = operations
    print(json.dumps(more))


device = Flash(BLOCKS)
root = mounted(device)
with open(sys.argv[3] + ".new", "wb") as new:
    device.copy(new)
device.log = log
for wake in range(1, 43):
    book = opened(root, boot=1)
    if wake == 1:
        say("journal", id=book.id)
    n = book.append(records.Stamp(BEGIN_S + 300 * wake, records.SYNCED), 1, reading(wake))
    gone = [b - a + 1 for a, b, text, _ in book.rows(1, n) if text is None]
    say("row", n=n, dropped=sum(gone))
    if wake % 8 == 0:
        book.obey(Receipt(n, [[2, 3]]))
        book.save()
        say("mark", upto=n)
out.close()
