# SPDX-License-Identifier: MIT
"""What a service says of itself, in a file of fixed size that even a full disk lets it rewrite.

`intake.state` and `village.state` are one JSON object each, padded with blanks; `intake.lock` is
held while intake lives. Page, alarms and `check` read them: no broker, no store is needed to
learn that there is none.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any

LOCK = "intake.lock"
_TRIES, _PAUSE_S = 6, 0.05
_BYTES = 1024  # below a disk block: written whole, and its room is taken once


def write(data: Path, service: str, words: dict[str, Any]) -> bool:
    """Put `words` in place of what stands there; False when the disk refuses even that."""
    body = json.dumps(words).encode()[: _BYTES - 1]
    try:
        fd = os.open(data / f"{service}.state", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            return os.pwrite(fd, body.ljust(_BYTES - 1) + b"\n", 0) == _BYTES
        finally:
            os.close(fd)
    except OSError:
        return False


def read(data: Path, service: str) -> dict[str, Any] | None:
    """The words of the service that runs or ran last; None when none ever did."""
    try:
        found = json.loads((data / f"{service}.state").read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def take_lock(data: Path) -> IO[str] | None:
    """Hold this folder alone, until the file is closed or the process ends; None: it is taken.

    Whoever asks whether an intake lives holds it for an instant: that is no reason to give up.
    """
    lock = (data / LOCK).open("a")
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE_S)
        else:
            return lock
    lock.close()
    return None


def running(data: Path) -> bool:
    """Whether an intake lives in this folder; asked with a shared lock, held for an instant."""
    try:
        lock = (data / LOCK).open()
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        lock.close()
    return False
