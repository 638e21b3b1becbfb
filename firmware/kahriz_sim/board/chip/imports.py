# SPDX-License-Identifier: MIT
"""Gives the program the chip's modules, also where the host has a built-in of the same name.

Source that the host compiles (main.py) still sees Linux in `errno.NAME`, because the unix port
folds these names into numbers; mpy-cross does not.
"""

import builtins
import sys

from chip import chip_errno

_HOST_ONLY = ("termios", "argparse")  # built into or frozen into the unix port only
_ALIASES = ("utime", "usocket", "uos", "umachine", "uerrno")  # old names of what we stand in for
_genuine = __import__
_ready = {"errno": chip_errno}  # found without a search through the file systems
_PROGRAM = "kahriz_"
_kept = {}  # folder of the program -> its modules, while a world wants them kept over wakes
_keeping = [False]


def guard(modules):
    """From now on every import goes through here; `modules` are those of the chip's firmware."""
    for name, module in modules.items():
        _ready.setdefault(name, module)
    builtins.__import__ = _chip_import


def keep(on):
    """Whether the next wake takes the program's modules from those kept: most of it is loading."""
    _keeping[0] = on


def forget_others():
    """Another program begins: what lies in the other folders may be overwritten by now."""
    for folder in list(_kept):
        if folder != sys.path[0]:
            del _kept[folder]


def _chip_import(name, *more):
    module = _ready.get(name)
    if module is not None:
        return module
    if _keeping[0] and name.startswith(_PROGRAM):
        return _program(name, more[2] if len(more) > 2 else None)
    if name in _HOST_ONLY:
        raise ImportError(f"no module named '{name}'")
    if name in _ALIASES:
        return _ready[name[1:]]
    return _genuine(name, *more)


def _program(name, wanted):
    """A module of the program, from those kept when it was loaded before."""
    leaf = _placed(name)
    for item in () if wanted is True else wanted or ():  # True: the VM asks for the leaf itself
        if not hasattr(leaf, item):  # a module of this package
            _placed(name + "." + item)
    return leaf if wanted else sys.modules[name.split(".", 1)[0]]


def _placed(name):
    kept = _kept.setdefault(sys.path[0], {})
    parent, _, last = name.rpartition(".")
    if parent:
        _placed(parent)
    if name not in sys.modules:
        if name in kept:
            sys.modules[name] = kept[name]
        else:
            _genuine(name)
            kept[name] = sys.modules[name]
    if parent:
        setattr(sys.modules[parent], last, sys.modules[name])
    return sys.modules[name]
