# SPDX-License-Identifier: MIT
"""Where a journal can live in a test: littlefs on the chip, a folder on the host."""

import os
import sys

BLOCK_BYTES = 4096


class Flash:
    """A flash in a nameless file; counts its reads and logs what changes it."""

    def __init__(self, blocks, log=None, image=None):
        path = "/tmp/kahriz-flash-" + draw()
        self._file = open(path, "w+b")  # noqa: SIM115 - lives as long as the flash
        os.remove(path)
        self._blocks = blocks
        self.log = log
        self.reads = 0
        for block in range(blocks):
            self._put(block * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        if image is not None:
            with open(image, "rb") as old:
                for block in range(blocks):
                    self._put(block * BLOCK_BYTES, old.read(BLOCK_BYTES))

    def readblocks(self, block, buffer, offset=0):
        self.reads += 1
        self._file.seek(block * BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        self._put(block * BLOCK_BYTES + offset, bytes(buffer))

    def ioctl(self, request, argument):
        if request == 4:
            return self._blocks
        if request == 5:
            return BLOCK_BYTES
        if request == 6:
            self._put(argument * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        return 0

    def copy(self, file):
        """Write the whole flash to a file."""
        block = bytearray(BLOCK_BYTES)
        for number in range(self._blocks):
            self.readblocks(number, block)
            file.write(block)

    def _put(self, at, data):
        self._file.seek(at)
        self._file.write(data)
        if self.log is not None:
            self.log(at, data)


def mounted(device, new=True):
    """Mount a littlefs as the ESP32 does; returns the folder."""
    import vfs

    if new:
        vfs.VfsLfs2.mkfs(device, readsize=32, progsize=32, lookahead=32)
    vfs.mount(vfs.VfsLfs2(device, mtime=False), "/flash")
    return "/flash"


def folder(blocks=64):
    """An empty place for a journal."""
    if sys.implementation.name == "micropython":
        return mounted(Flash(blocks))
    import tempfile

    return tempfile.mkdtemp()


def draw():
    """The id of a journal."""
    import binascii

    return binascii.hexlify(os.urandom(4)).decode()
