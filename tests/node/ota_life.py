# SPDX-License-Identifier: MIT
"""A node's program and configuration are renewed on littlefs: ota_life.py LIB FOLDER LOG RELEASE.

Every flash operation is recorded in LOG as cut_day.py does it; the flash before them is LOG.new.
Slot a runs and is good; a release comes whole, is unpacked, booted twice, found good; then a
configuration is put on trial and kept, and another one marked as refused.
"""

import json
import os
import struct
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

import vfs
from places import Flash

from kahriz_node import config_new, configs, keep, ota, slots  # noqa: F401 - keep: while it can be found
from kahriz_node.sensors import ds18b20  # noqa: F401 - loaded while the host's files are there
from kahriz_node.settings import Settings

BLOCKS = 64
CONFIG = {
    "v": 1, "rev": 1, "site": "s", "node": "n", "dt_s": 300, "batch": 12,
    "wifi": {"ssid": "kahriz", "password": "secret"}, "broker": {"host": "10.0.0.1"},
    "channels": {"air": {"driver": "ds18b20", "pin": 4}},
}  # fmt: skip

operations = 0
out = open(sys.argv[3], "wb")  # noqa: SIM115


def log(at, data):
    global operations
    operations += 1
    out.write(struct.pack("<II", at, len(data)))
    out.write(data)


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def boot():
    """What boot.py of the board does; returns the slot."""
    path = list(sys.path)
    exec(BOOT, {})
    slot = sys.path[0]
    sys.path[:] = path
    return slot


with open(sys.argv[1] + "/../boot.py") as file:
    BOOT = file.read()
with open(sys.argv[4], "rb") as file:
    RELEASE = file.read()
with open(sys.argv[4] + ".old", "rb") as file:
    OLD = file.read()
with open(sys.argv[4] + ".key", "rb") as file:
    KEY = file.read()

device = Flash(BLOCKS)
vfs.umount("/")
vfs.VfsLfs2.mkfs(device, readsize=32, progsize=32, lookahead=32)
vfs.mount(vfs.VfsLfs2(device, mtime=False), "/")
put("/release.key", KEY)
put("/config.json", json.dumps(CONFIG).encode())
put("/ota.1", OLD)
ota.install("", 1, 0, lambda: None)
slots.good("")
assert boot() == "/a", boot()
put("/ota.2", RELEASE)
configs.mark("", configs.REFUSED, 7)
vfs.umount("/")
vfs.mount(vfs.VfsPosix("/"), "/")
with open(sys.argv[3] + ".new", "wb") as new:
    device.copy(new)
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(device, mtime=False), "/")
device.log = log
ota.install("", 2, 1, lambda: None)
switched = operations
assert boot() == "/b"
assert boot() == "/b"
slots.good("")
proven = operations
with open(configs.FETCHED, "w") as file:
    json.dump(dict(CONFIG, rev=2, dt_s=600), file)
config_new.consider("", 2, Settings(CONFIG))
configs.keep_trial("")
configs.mark("", configs.REFUSED, 9)
assert not [name for name in os.listdir("/") if name.startswith("ota.")]
print(json.dumps({"switched": switched, "proven": proven, "operations": operations}))
