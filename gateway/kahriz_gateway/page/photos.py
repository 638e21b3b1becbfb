# SPDX-License-Identifier: MIT
"""Photos from the phone: their size is limited, where and with what they were taken is cut out.

JPEG (ITU-T T.81) is a row of marked segments: application data (EXIF with the place, maker's notes)
and comments are left out, the picture itself stays as it is. PNG (ISO 15948) is a row of chunks:
only those that make the picture stay. Other formats are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

MOST_BYTES = 6_000_000
FOLDER = "photos"
NAME = re.compile(r"[0-9a-f]{64}\.(jpg|png)")
TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JFIF, _ADOBE, _FIRST_APP, _LAST_APP, _COMMENT, _SCAN = 0xE0, 0xEE, 0xE0, 0xEF, 0xFE, 0xDA
_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB"}


class PhotoError(ValueError):
    """`what` is wrong with it: size, kind or broken."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def keep(data_dir: Path, photo: bytes) -> str:
    """Store a cleaned photo once, under the sum of its content; its name. Raises PhotoError."""
    cleaned, suffix = clean(photo)
    name = f"{hashlib.sha256(cleaned).hexdigest()}.{suffix}"
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        partial = folder / f".{name}"
        with partial.open("wb") as file:
            file.write(cleaned)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    return name


def clean(photo: bytes) -> tuple[bytes, str]:
    """The photo without what it tells beside the picture, and its suffix. Raises PhotoError."""
    if len(photo) > MOST_BYTES:
        raise PhotoError("size")
    if photo.startswith(_JPEG):
        return _jpeg(photo), "jpg"
    if photo.startswith(_PNG):
        return _png(photo), "png"
    raise PhotoError("kind")


def _jpeg(photo: bytes) -> bytes:
    kept = [photo[:2]]
    at = 2
    while at + 4 <= len(photo) and photo[at] == 0xFF:
        mark = photo[at + 1]
        if mark == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        end = at + 2 + int.from_bytes(photo[at + 2 : at + 4], "big")
        if end > len(photo) or end < at + 4:
            break
        if mark == _SCAN:
            last = photo.rfind(b"\xff\xd9")
            if last < end:
                break
            return b"".join([*kept, photo[at : last + 2]])  # what hangs behind the picture goes
        told = mark == _COMMENT or (_FIRST_APP <= mark <= _LAST_APP)
        if not told or mark in (_JFIF, _ADOBE):
            kept.append(photo[at:end])
        at = end
    raise PhotoError("broken")


def _png(photo: bytes) -> bytes:
    kept = [photo[:8]]
    at = 8
    while at + 12 <= len(photo):
        end = at + 12 + int.from_bytes(photo[at : at + 4], "big")
        kind = photo[at + 4 : at + 8]
        if end > len(photo):
            break
        if kind in _PICTURE:
            kept.append(photo[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
    raise PhotoError("broken")
