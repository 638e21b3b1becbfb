# SPDX-License-Identifier: MIT
"""Starts a board after a cut: ota_check.py LIB FOLDER IMAGE BLOCKS; one JSON line of what runs.

Boots as the board does, checks every file of the slot against its manifest, reads the
configuration; then goes on where the cut was, and says what runs after that.
"""

import binascii
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

import vfs
from places import Flash

from kahriz_node import configs, keep, ota, slots  # noqa: F401 - loaded while it can be found
from kahriz_wire import release

with open(sys.argv[1] + "/../boot.py") as file:
    BOOT = file.read()


def boot():
    path = list(sys.path)
    exec(BOOT, {})
    slot = sys.path[0]
    sys.path[:] = path
    return slot


def whole(slot):
    """Version in a slot, when every file is what its manifest says."""
    with open(slot + "/manifest") as file:
        _, _, version = release.first_line(file.readline())
        for line in file:
            sha256, size, name = release.file_line(line)
            with open(slot + "/" + name, "rb") as part:
                if binascii.hexlify(ota.digest(part, size)).decode() != sha256:
                    return "damaged " + name
    return version


def settings():
    return json.loads(next(configs.candidates(""))[1])["dt_s"]


device = Flash(int(sys.argv[4]), image=sys.argv[3])
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(device, mtime=False), "/")
runs = whole(boot())
state = slots.read("")[1]
dt_s = settings()
refused = configs.marks("")[configs.REFUSED]
if runs == "0.0.0.1" and "ota.2" in os.listdir("/") and not state.isdigit():
    ota.install("", 2, 1, lambda: None)
    later = whole(boot())
else:
    later = runs
slots.good("")
after = whole(boot())
said = {"runs": runs, "state": state, "dt_s": dt_s, "refused": refused}
print(json.dumps(dict(said, later=later, after=after)))
