# SPDX-License-Identifier: MIT
"""Which program runs: /lib, put there by cable, or slot /a or /b, fetched over the air.

/sel holds three words: slot that runs, state, the other one. A state of digits is a trial: the
boots it has left; `g` is good: a receipt arrived; `x`: the other one went back. boot.py reads it.
"""

import os

CABLE = "lib"
TRIAL_BOOTS = 3


def read(root: str) -> "tuple[str, str, str]":
    """Slot that runs, state, the other one."""
    try:
        with open(root + "/sel") as file:
            run, state, other = file.read().split()
            return run, state, other
    except (OSError, ValueError):
        return CABLE, "g", CABLE


def write(root: str, run: str, state: str, other: str) -> None:
    """All of it or nothing."""
    with open(root + "/sel.new", "w") as file:
        file.write(run + " " + state + " " + other)
    os.rename(root + "/sel.new", root + "/sel")


def good(root: str) -> None:
    """A receipt arrived under this program: it stays."""
    run, state, other = read(root)
    if state.isdigit():
        write(root, run, "g", other)


def healthy(root: str) -> None:
    """A wake of a trial came to its end without need of the gateway: it does not count."""
    run, state, other = read(root)
    if state.isdigit():
        write(root, run, str(min(int(state) + 1, TRIAL_BOOTS)), other)


def failed(root: str) -> int:
    """Number of the release that went back; 0 when none did."""
    _, state, other = read(root)
    if state == "x":
        try:
            with open(root + "/" + other + "/manifest") as file:
                return int(file.readline().split()[2])
        except (OSError, ValueError, IndexError):
            pass
    return 0
