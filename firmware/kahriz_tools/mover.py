# SPDX-License-Identifier: MIT
"""Moves a staged program into place, on the board; also the board's boot.py while it does so.

Everything new lies verified under /stage. From the moment this file stands as /boot.py (one
rename: the point of no return) a power cut only delays: the next start goes on moving. The
program's own boot.py comes last and so ends it. Runs on MicroPython; plain os calls only.
"""

import os

STAGE = "/stage"
GONE = "gone.txt"  # files of an older program, one a line
IS_FOLDER = 0x4000


def files(folder: str) -> list[str]:
    """Every file below `folder`; nothing when there is no such folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = []
    for name in sorted(names):
        path = folder.rstrip("/") + "/" + name
        if os.stat(path)[0] & IS_FOLDER:
            found.extend(files(path))
        else:
            found.append(path)
    return found


def make_folder(path: str) -> None:
    """The folders above the file `path`."""
    parts = path.split("/")[1:-1]
    for count in range(len(parts)):
        try:  # noqa: SIM105  (no contextlib on the chip)
            os.mkdir("/" + "/".join(parts[: count + 1]))
        except OSError:
            pass  # it is there


def remove(path: str) -> None:
    try:  # noqa: SIM105
        os.remove(path)
    except OSError:
        pass  # gone before the power went


def clear(folder: str) -> None:
    """Take the folder away with all below it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        if os.stat(path)[0] & IS_FOLDER:
            clear(path)
        else:
            os.remove(path)
    os.rmdir(folder)


def move() -> None:
    last = STAGE + "/boot.py"
    gone = STAGE + "/" + GONE
    staged = files(STAGE)
    for path in staged:
        if path not in (last, gone):
            make_folder(path[len(STAGE) :])
            os.rename(path, path[len(STAGE) :])
    if gone in staged:
        with open(gone) as lines:
            for line in lines:
                remove(line.strip())
    if last in staged:
        os.rename(last, "/boot.py")
    clear(STAGE)
