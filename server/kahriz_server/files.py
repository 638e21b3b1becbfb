# SPDX-License-Identifier: MIT
"""Files of the office: a secret alone in one, and a text that is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from kahriz_server.setup.ask import SetupError


def secret(path: Path) -> str:
    """The token of a file, one word; SetupError when it is empty, torn or something else."""
    text = password(path)
    if not text.isascii() or " " in text:
        raise SetupError(f"{path}: expected one token, and nothing else, in it")
    return text


def password(path: Path) -> str:
    """The one line of a file."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: expected a file with the secret alone ({error})") from error
    if not text or not text.isprintable():
        raise SetupError(f"{path}: expected one line with the secret, and nothing else")
    return text


def write_whole(path: Path, text: str) -> None:
    """Beside itself first: what stood there stays until the new one is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
