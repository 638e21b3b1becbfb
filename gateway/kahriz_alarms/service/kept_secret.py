# SPDX-License-Identifier: MIT
"""A secret of our own in a file of the data folder: made once, for the service alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept(data_dir: Path, name: str) -> str:
    """The secret in that file; made when it is not there."""
    path = data_dir / name
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        found = path.read_text(encoding="ascii").strip()
        if found:
            return found
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # a start that was cut off left it empty
    made = secrets.token_urlsafe(32)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(made + "\n")
        file.flush()
        os.fsync(file.fileno())
    return made
