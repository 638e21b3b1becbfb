# SPDX-License-Identifier: MIT
"""A secret of our own in a file of the data folder: made once, for the service alone.

It is made whole beside its place and moved there in one step, under a lock on what is being made:
of many first starts at once one makes it and all have the same, and a start that is cut off leaves
nothing that could be taken for a secret.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from kahriz_alarms.service.folder import sync_folder


class SecretError(OSError):
    """A secret that can be neither read nor made; its text says why and what to do."""


def kept(data_dir: Path, name: str) -> str:
    """The secret in that file; made when it is not there. SecretError when that cannot be."""
    path = data_dir / name
    try:
        return _read(path) or _made(path)
    except UnicodeDecodeError as error:
        raise SecretError(f"{path} holds no secret of ours: move it away") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise SecretError(
            f"{path} cannot be kept ({why}): this service must be able to write there"
        ) from error


def _read(path: Path) -> str:
    """Empty when it is not there, or was left empty."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _made(path: Path) -> str:
    """Nobody removes `new` before the secret stands in its place: who waits for it finds that."""
    new = path.with_name(f"{path.name}.new")
    fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if found := _read(path):  # made while we waited
            new.unlink(missing_ok=True)
            return found
        secret = secrets.token_urlsafe(32)
        os.fchmod(fd, 0o600)
        os.ftruncate(fd, 0)
        file.write(secret + "\n")
        file.flush()
        os.fsync(fd)
        new.replace(path)
    sync_folder(path.parent)
    return secret
