# SPDX-License-Identifier: MIT
"""Files of the site's certificate authority: right permissions, whole or not at all, kept when old.

`write_new` refuses to overwrite; `replace` is for what is derived from the register (trust bundle,
revocation list); `set_aside` moves what is renewed into old/.
"""

from __future__ import annotations

import os
from pathlib import Path

SECRET = 0o600
PUBLIC = 0o644
FOLDER = 0o700


class CaError(Exception):
    """The certificate authority cannot do that: in words, with the mend."""


def make_folder(path: Path) -> Path:
    """A folder that nobody else may look into."""
    try:
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise CaError(
            f"cannot make {path} ({error.strerror}): choose another --ca folder"
        ) from error
    return path


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, on the disk when this returns."""
    make_folder(path.parent)
    if path.exists():
        raise CaError(f"{path} is already there: it is never overwritten; move it away, or renew")
    _put(path, data, mode)


def replace(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a derived file anew: whoever reads it meanwhile sees the old or the new one whole."""
    make_folder(path.parent)
    _put(path, data, mode)


def set_aside(path: Path, mark: str) -> None:
    """Keep a file that is being renewed under old/ beside it."""
    if path.exists():
        old = make_folder(path.parent / "old")
        path.rename(old / f"{path.stem}-{mark}{path.suffix}")


def read(path: Path, what: str) -> bytes:
    """Bytes of a file that must be there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaError(f"{what} cannot be read ({path}: {error.strerror})") from error


def _put(path: Path, data: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as out:
            os.fchmod(handle, mode)  # whatever the umask says
            out.write(data)
            out.flush()
            os.fsync(handle)
        beside.replace(path)
    except OSError as error:
        raise CaError(f"cannot write {path} ({error.strerror})") from error
