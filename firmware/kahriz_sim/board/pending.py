# SPDX-License-Identifier: MIT
# ruff: noqa: E402 - the path first
"""The rows a node still owes, from its flash file: `micropython pending.py --flash F --image DIR`.

Prints {"journals": [{"journal", "first", "next", "open"}], "rows": [{"journal", "n", …}]};
the rows are as the node would send them. Nothing is written: the block device refuses it.
"""

import json
import sys

import vfs

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, HERE)

from chip import flash


def main():
    values = dict(zip(sys.argv[1::2], sys.argv[2::2]))  # noqa: B905 - MicroPython has no strict=
    for name in ("--flash", "--image"):
        if not values.get(name):
            print(f"pending: {name} is missing", file=sys.stderr)
            return 2
    try:
        file = open(values["--flash"], "rb")  # noqa: SIM115 - the process ends with it
    except OSError as error:
        print("pending: {}: {}".format(values["--flash"], error), file=sys.stderr)
        return 2
    sys.path.insert(0, values["--image"] + "/lib")
    from kahriz_node.journal import Journal

    vfs.mount(vfs.VfsLfs2(flash.FlashChip(file, read_only=True), mtime=False), "/flash")
    journals, rows = [], []
    for name in _folders("/flash/journal"):
        # the journal opens the first folder of its root; a node has one
        journal = Journal("/flash/journal", None, None, writable=False)
        if journal.id != name:
            continue
        owed = journal.open_ranges()
        journals.append(
            {"journal": name, "first": journal.first, "next": journal.next, "open": owed}
        )
        for a, b in owed:
            for _, _, text, _ in journal.rows(max(a, journal.first), b):
                if text is not None:
                    row = json.loads(text)
                    row["journal"] = name
                    rows.append(row)
    print(json.dumps({"journals": journals, "rows": rows}))
    return 0


def _folders(path):
    import os

    try:
        return os.listdir(path)
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
