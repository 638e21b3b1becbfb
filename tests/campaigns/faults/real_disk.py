# SPDX-License-Identifier: MIT
"""A small disk of its own for the gateway's stores, that can be filled to the last byte.

Root mounts a tmpfs. Others have none: then no run has a full disk, and the campaign says so.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE_MB = 192
PIECE = 1 << 20


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Make `folder` a disk of its own; whether it is one."""
    argv = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0 and subprocess.run(argv, capture_output=True, check=False).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> None:
    """Until the kernel says that no space is left."""
    with (folder / "ballast").open("ab", buffering=0) as out:
        for size in (PIECE, 4096, 1):
            try:
                while True:
                    out.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def make_room(folder: Path) -> None:
    (folder / "ballast").unlink(missing_ok=True)
