# SPDX-License-Identifier: MIT
"""A campaign may be killed at any moment: its workers die with it, its folders are swept later."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PDEATHSIG = 1  # prctl(2)
PREFIX = "kahriz-faults"


def die_with_parent() -> None:
    """For a worker: nobody would end it when its campaign has been killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)


def places() -> list[Path]:
    """Where folders of runs may lie: in memory where there is such a place."""
    memory = Path("/dev/shm")
    return [*([memory] if memory.is_dir() else []), Path(tempfile.gettempdir())]


def own_folder(what: str) -> str:
    """The beginning of a folder's name: whose it is stands in it."""
    return f"{PREFIX}-{os.getpid()}-{what}-"


def sweep() -> None:
    """Remove the folders of campaigns that are gone."""
    for place in places():
        for folder in place.glob(f"{PREFIX}-[0-9]*-*"):
            pid = folder.name.split("-")[2]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                if (folder / "disk").is_mount():
                    subprocess.run(["umount", "-l", str(folder / "disk")], check=False)
                shutil.rmtree(folder, ignore_errors=True)
