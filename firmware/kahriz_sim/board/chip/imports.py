# SPDX-License-Identifier: MIT
"""Gives the program the chip's modules, also where the host has a built-in of the same name.

Source that the host compiles (main.py) still sees Linux in `errno.NAME`, because the unix port
folds these names into numbers; mpy-cross does not.
"""

import builtins

from chip import chip_errno

_HOST_ONLY = ("termios", "argparse")  # built into or frozen into the unix port only
_ALIASES = ("utime", "usocket", "uos", "umachine", "uerrno")  # old names of what we stand in for
_genuine = __import__
_ready = {"errno": chip_errno}  # found without a search through the file systems


def guard(modules):
    """From now on every import goes through here; `modules` are those of the chip's firmware."""
    for name, module in modules.items():
        _ready.setdefault(name, module)
    builtins.__import__ = _chip_import


def _chip_import(name, *more):
    module = _ready.get(name)
    if module is not None:
        return module
    if name in _HOST_ONLY:
        raise ImportError(f"no module named '{name}'")
    if name in _ALIASES:
        return _ready[name[1:]]
    return _genuine(name, *more)
