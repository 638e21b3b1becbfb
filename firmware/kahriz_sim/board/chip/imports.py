# SPDX-License-Identifier: MIT
"""Gives the program the chip's modules where the host has a built-in that no file can replace."""

import builtins
import sys

from chip import chip_errno

_HOST_ONLY = ("termios", "argparse")  # built into or frozen into the unix port only
_ALIASES = ("utime", "usocket", "uos", "umachine")  # the old names of modules we stand in for
_genuine = __import__


def guard():
    """From now on every import goes through here."""
    builtins.__import__ = _chip_import


def _chip_import(name, *more):
    if name == "errno" or name == "uerrno":
        return chip_errno
    if name in _HOST_ONLY:
        raise ImportError("no module named '%s'" % name)
    if name in _ALIASES:
        return sys.modules[name[1:]]
    return _genuine(name, *more)
