# SPDX-License-Identifier: MIT
"""Small files of the journal that are replaced whole, each with a CRC; and its folder."""

import os

from kahriz_node import memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Draw


def home(root: str, draw: "Draw", writable: bool) -> str:
    """The journal's id: the name of its folder, drawn when there is none yet."""
    try:
        names = os.listdir(root)
    except OSError:
        if not writable:
            raise
        try:
            os.rename(root[:-2], root)  # of form 1 (kahriz_wire/release.py): it goes on in ours
        except OSError:
            os.mkdir(root)
        names = os.listdir(root)
    names = [name for name in names if is_hex8(name)]
    if names:
        return sorted(names)[0]
    name = draw()
    os.mkdir(root + "/" + name)
    return name


def is_hex8(name: str) -> bool:
    return len(name) == 8 and not name.strip("0123456789abcdef")


def save(path: str, value: "Any") -> None:
    with open(path + ".new", "wb") as file:
        file.write(memory.seal(value))
    os.rename(path + ".new", path)


def load(path: str) -> "Any":
    """What was saved; None, when it cannot be read, only costs a listing or a second delivery."""
    try:
        with open(path, "rb") as file:
            return memory.opened(file.read())
    except OSError:
        return None
