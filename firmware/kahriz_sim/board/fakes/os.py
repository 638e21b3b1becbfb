# SPDX-License-Identifier: MIT
"""`os` as the ESP32 port has it: no environment, no shell."""

from uos import (
    chdir,
    getcwd,
    ilistdir,
    listdir,
    mkdir,
    mount,
    remove,
    rename,
    rmdir,
    stat,
    statvfs,
    umount,
    unlink,
    urandom,
)

sep = "/"


def uname():
    return ("esp32", "esp32", "1.29.0", "simulated board", "Generic ESP32 module with ESP32")


def sync():
    """Nothing to do: littlefs is synced by closing or flushing a file."""


__all__ = [
    "chdir",
    "getcwd",
    "ilistdir",
    "listdir",
    "mkdir",
    "mount",
    "remove",
    "rename",
    "rmdir",
    "sep",
    "stat",
    "statvfs",
    "sync",
    "umount",
    "uname",
    "unlink",
    "urandom",
]
