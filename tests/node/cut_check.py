# SPDX-License-Identifier: MIT
"""Opens a journal after a power cut and goes on with it: cut_check.py LIB FOLDER IMAGE BLOCKS.

Prints JSON lines: what the journal held, the numbers of the next readings, what it holds then.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

from journals import BEGIN_S, opened, reading
from places import Flash, mounted

from kahriz_node import journal, records, room

journal.SEGMENT_BYTES = 300
room.FREE_BLOCKS_LEAST = 4

device = Flash(int(sys.argv[4]), image=sys.argv[3])
root = mounted(device, new=False)
book = opened(root, boot=2)


def tell(what):
    """One line a row held or range gone; the whole would not fit into the memory of a chip."""
    for a, b, text, word in book.rows(1, book.next - 1):
        print(json.dumps([what, a, b, text, word]))


print(json.dumps(["id", book.id]))
print(json.dumps(["open", book.open_ranges()]))
tell("before")
for later in range(900, 903):
    stamp = records.Stamp(BEGIN_S + 300 * later, records.SYNCED)
    print(json.dumps(["given", book.append(stamp, 1, reading(later))]))
    book = opened(root, boot=2)
tell("after")
