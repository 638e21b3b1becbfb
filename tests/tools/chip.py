# SPDX-License-Identifier: MIT
"""MicroPython side of the fake board: littlefs in a file as the root, then boot.py and main.py.

Started as `micropython -i chip.py FLASH BLOCKS KIND run|raw`. `raw` skips main.py as the chip does
when a soft reset comes in raw mode. With a limit in FLASH.cut the power goes at that block write;
a file FLASH.log gets every write.
"""

import json
import os
import sys

import vfs

BLOCK = 4096


class Flash:
    """A block device on a file; every write reaches the file at once."""

    def __init__(self, path, blocks, cut, log):
        self.blocks = blocks
        self.cut = cut  # block writes left before the power goes; None: never
        self.log = log
        self.file = open(path, "r+b")  # noqa: SIM115  (open as long as the chip lives)

    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            offset = 0
        if self.cut is not None:
            self.cut -= 1
            if self.cut < 0:
                os.system("kill -9 $PPID")  # no finaliser runs: the power is gone
        self.file.seek(block * BLOCK + offset)
        self.file.write(buf)
        self.file.flush()
        if self.log:
            self.log.write(json.dumps([block * BLOCK + offset, bytes(buf).hex()]) + "\n")
            self.log.flush()

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            return 0


class Implementation:
    def __init__(self, version, mpy):
        self.version = tuple(version)
        self._mpy = mpy
        self._machine = "fake board"


class Chip:
    """What `import sys` gives on the chip."""

    path = sys.path
    modules = sys.modules
    print_exception = sys.print_exception

    def __init__(self, kind):
        self.platform, version, mpy = json.loads(kind)
        self.implementation = Implementation(version, mpy)


class Machine:
    """Enough for main.py's last resort."""

    @staticmethod
    def deepsleep(ms):
        print("sleeps", ms)
        raise SystemExit


def limit(path):
    try:
        with open(path) as file:
            return int(file.read())
    except OSError:
        return None


def book(path):
    """Where every write is noted, when a test asks for it."""
    try:
        return open(path, "r+")
    except OSError:
        return None


def start(name):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    except Exception as error:  # noqa: BLE001  (the chip prints it and goes on)
        sys.print_exception(error)
    except SystemExit:
        pass


flash_path, block_count, kind, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
log = book(flash_path + ".log")
if log:
    log.seek(0, 2)
flash = Flash(flash_path, block_count, limit(flash_path + ".cut"), log)
vfs.umount("/")
try:
    vfs.mount(vfs.VfsLfs2(flash), "/")
except OSError:
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/")
sys.path[:] = ["", ".frozen", "/lib"]
sys.modules["sys"] = Chip(kind)
sys.modules["machine"] = Machine
start("/boot.py")
if mode == "run":
    start("/main.py")
