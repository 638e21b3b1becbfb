# SPDX-License-Identifier: MIT
"""A small disk of its own for the gateway's stores, that can be filled, or made read-only.

Root mounts a tmpfs. Others have none: then no run has a full or read-only disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

SIZE_MB = 192
PIECE = 1 << 20
PATIENCE_S = 10.0  # mosquitto saves its state for a moment


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


def write_protect(folder: Path, on: bool) -> None:
    """The kernel refuses while a file is open for writing: nobody may have one, for a moment."""
    argv = ["mount", "-o", f"remount,{'ro' if on else 'rw'}", str(folder)]
    deadline = time.monotonic() + PATIENCE_S
    while (done := subprocess.run(argv, capture_output=True, text=True, check=False)).returncode:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{folder}: {done.stderr.strip()}")
        time.sleep(0.05)
