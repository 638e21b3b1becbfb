# SPDX-License-Identifier: MIT
"""Fills 1.5 MB of littlefs with rows of two channels: on_flash.py LIB NODE_TESTS [MOST].

Prints JSON lines: {"rows", "free_blocks", "reads", "wake_reads", "wake_mean"} at some counts
(reads: flash reads that opening the journal took; wake_reads: those of opening and writing a row
down, the median of some wakes; wake_mean: their mean), and at the end {"rows", "held"} when the
first row is gone.
"""

import gc
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

from journals import fill, opened
from places import Flash, mounted

BLOCKS = 384
LOOK_AT = (100, 1000, 5000, 20000, 80000)
WAKES = 129


def look(device, root, rows):
    """What opening and a wake cost now; returns the journal after some wakes."""
    gc.collect()
    device.reads = 0
    assert opened(root).next == rows + 1
    found = {"rows": rows, "reads": device.reads, "free_blocks": os.statvfs(root)[3]}
    wakes = []
    for _ in range(WAKES):
        device.reads = 0
        fill(opened(root), 1)
        wakes.append(device.reads)
    found["wake_reads"] = sorted(wakes)[WAKES // 2]
    found["wake_mean"] = sum(wakes) // WAKES
    print(json.dumps(found))
    return opened(root)


def main(most):
    device = Flash(BLOCKS)
    root = mounted(device)
    book = opened(root)
    rows = 0
    while rows < most and book.first == 1:
        fill(book, 1)
        rows += 1
        if rows in LOOK_AT:
            book = look(device, root, rows)
            rows += WAKES
    if book.first > 1:
        print(json.dumps({"rows": rows, "held": rows - book.first + 1}))


main(int(sys.argv[3]) if len(sys.argv) > 3 else 10**9)
