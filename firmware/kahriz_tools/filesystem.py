# SPDX-License-Identifier: MIT
"""The node's file system made on the laptop: program, configuration, certificates; no journal.

The journal's id is drawn by the node itself (kahriz_node/keep.py), so two boards that were made
from one image never give the same number to two readings.
"""

from collections.abc import Mapping

from kahriz_tools.errors import BenchError

BLOCK_BYTES = 4096  # erase size of the flash, and of MicroPython's VfsLfs2 on it
UNIT_BYTES = 32  # of a read and a write, as MicroPython asks for
JOURNALS = "journal"  # a folder of this name, or journal.N
FULL = 7


def make(files: Mapping[str, bytes], size_bytes: int) -> bytes:
    """The image of a partition: the same files give the same bytes."""
    from littlefs import LittleFS, LittleFSError

    disk = LittleFS(
        block_size=BLOCK_BYTES,
        block_count=size_bytes // BLOCK_BYTES,
        read_size=UNIT_BYTES,
        prog_size=UNIT_BYTES,
        name_max=255,
    )
    try:
        for path, data in sorted(files.items()):
            folder = path.rpartition("/")[0]
            if folder:
                disk.makedirs(folder, exist_ok=True)
            with disk.open(path, "wb") as file:
                file.write(data)
    except LittleFSError as error:
        raise BenchError(
            f"the program does not fit into {size_bytes // 1024} kB", "leave drivers out", FULL
        ) from error
    disk.unmount()
    return bytes(disk.context.buffer)


def read(image: bytes) -> dict[str, bytes] | None:
    """All files of an image; None when it is no littlefs."""
    from littlefs import LittleFS, LittleFSError, UserContext

    disk = LittleFS(
        context=UserContext(buffer=bytearray(image)),
        mount=False,
        block_size=BLOCK_BYTES,
        block_count=len(image) // BLOCK_BYTES,
        read_size=UNIT_BYTES,
        prog_size=UNIT_BYTES,
    )
    try:
        disk.mount()
        found = {}
        for folder, _, names in disk.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with disk.open(path, "rb") as file:
                    found[path] = bytes(file.read())
    except LittleFSError:
        return None
    return found


def journals(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What belongs to a journal of readings.

    >>> sorted(journals({"/journal.2/9f3a01c2/tail": b"", "/journal/x": b"", "/boots": b"1"}))
    ['/journal.2/9f3a01c2/tail', '/journal/x']
    """
    return {path: data for path, data in files.items() if is_journal(path)}


def is_journal(path: str) -> bool:
    top = path.split("/")[1]
    return top == JOURNALS or top.startswith(f"{JOURNALS}.")
