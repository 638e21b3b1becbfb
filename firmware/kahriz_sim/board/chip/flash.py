# SPDX-License-Identifier: MIT
"""The flash chip as a file: 384 sectors of 4096 bytes for VfsLfs2, each write in the file at once.

A write is one write() into the host's page cache, so it survives kill -9 of the process. After the
end of a wake the device is dead: what the program had not flushed never arrives.
"""

from micropython import const

from chip import clock

SECTOR = const(4096)  # erase size of a W25Q32-class NOR flash
SECTORS = const(384)  # 1.5 MB, the room left beside the firmware in 4 MB
HELD_MOST = const(6)  # sectors kept in memory; 24 kB of the board's own heap
_EIO = const(5)
_GET_SIZE = const(4)  # ioctl numbers of vfs.AbstractBlockDev
_GET_SECTOR = const(5)
_ERASE = const(6)


_spaces = [memoryview(bytearray(SECTOR)) for _ in range(HELD_MOST)]  # not of the program's heap


def open_image(path):
    """Open or make the image; returns (file, whether it is new)."""
    try:
        file = open(path, "r+b")  # noqa: SIM115 - open as long as the board lives
        size = file.seek(0, 2)
    except OSError:
        file = open(path, "w+b")  # noqa: SIM115
        size = 0
    if size == SECTOR * SECTORS:
        return file, False
    blank = b"\xff" * SECTOR
    file.seek(0)
    for _ in range(SECTORS):
        file.write(blank)
    return file, True


class FlashChip:
    """Block device over the image, with the extended interface that littlefs wants.

    littlefs asks for a thousand pieces of 128 bytes a wake, most of them in a handful of sectors:
    those are held in memory, and written through.
    """

    def __init__(self, file, read_only=False):
        self._file = file
        self._held = {}  # sector -> its bytes
        self._order = []  # of their coming
        self._read_only = read_only
        self.dead = False
        self.writes = 0
        self.erases = 0
        self.cut = None  # (number of a write, "clean", "torn" or "garbage"): the power goes there

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            return -_EIO
        held = self._held.get(block)
        if held is None:
            held = self._hold(block)
        buf[:] = held[offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        if self.dead or self._read_only:
            return -_EIO
        self.writes += 1
        if self.cut is not None and self.writes == self.cut[0]:
            return self._cut_short(block * SECTOR + offset, buf)
        self._file.seek(block * SECTOR + offset)
        self._file.write(buf)
        held = self._held.get(block)
        if held is not None:
            held[offset : offset + len(buf)] = buf

    def _cut_short(self, at, buf):
        how = self.cut[1]
        if how != "clean":
            self._file.seek(at)
            self._file.write(buf[: len(buf) // 2])
        if how == "garbage":
            self._file.write(bytes([byte * 109 + 0x5A & 0xFF for byte in buf[len(buf) // 2 :]]))
        self.dead = True
        clock.now.over = clock.PowerCut()
        return -_EIO

    def _hold(self, block):
        if len(self._held) >= HELD_MOST:
            space = self._held.pop(self._order.pop(0))
        else:
            space = _spaces[len(self._held)]  # one chip is alive at a time
        self._file.seek(block * SECTOR)
        self._file.readinto(space)
        self._held[block] = space
        self._order.append(block)
        return space

    def ioctl(self, op, arg):
        if op == _GET_SIZE:
            return SECTORS
        if op == _GET_SECTOR:
            return SECTOR
        if op == _ERASE:
            if self.dead or self._read_only:
                return -_EIO
            self.erases += 1  # like esp32.Partition with littlefs: the program step overwrites
        return 0
