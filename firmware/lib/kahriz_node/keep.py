# SPDX-License-Identifier: MIT
"""Small files of the journal that are replaced whole, each with a CRC; and its folder."""

import os

from kahriz_node import memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Draw

ENOENT = 2


def home(root: str, draw: "Draw", writable: bool) -> str:
    """The journal's id: the name of its folder, drawn when there is none yet."""
    try:
        names = [name for name in os.listdir(root) if is_hex8(name)]
    except OSError:
        if not writable:
            raise
        os.mkdir(root)
        names = []
    if names:
        return sorted(names)[0]
    name = draw()
    os.mkdir(root + "/" + name)
    return name


def is_hex8(name: str) -> bool:
    return len(name) == 8 and all(c in "0123456789abcdef" for c in name)


def absent(error: OSError) -> None:
    """Any other error than a file that is not there goes on its way."""
    if error.errno != ENOENT:
        raise error


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
