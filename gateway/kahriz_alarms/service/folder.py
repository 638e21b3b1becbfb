# SPDX-License-Identifier: MIT
"""A new name in a folder is on the disk once the folder is."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
