# SPDX-License-Identifier: MIT
"""The configurations on flash: the cable's, the last good one, and one on trial.

/config.json is the cable's. /config.run came by receipt and found the gateway; /config.try has
still to find it. Both begin with the CRC of the cable's they were made over and their own: a new
cable configuration ends them, a broken one is not there. /marks holds what a power cut shall not
make the node forget of them: the tries under the one on trial, what was refused.
"""

import os

from kahriz_node import stamp
from kahriz_node.memory import crc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Iterator

CABLE = "/config.json"
GOOD = "/config.run"
TRIAL = "/config.try"
FETCHED = "/config.new"  # as it came, not looked at
TRIES = 3
MARKS = "/marks"  # whose they are, and what follows
TRIED = 1  # wakes under the one on trial
REFUSED = 2  # revision of a configuration
REFUSED_RELEASE = 3  # number of a program


def candidates(root: str) -> "Iterator[tuple[str, bytes]]":
    """(name, bytes) of those that are whole, the one to be preferred first."""
    with open(root + CABLE, "rb") as file:
        cable = file.read()
    for name in (TRIAL, GOOD):
        try:
            with open(root + name, "rb") as file:
                data = file.read()
        except OSError:
            continue
        if data[:8] == crc(cable) and data[8:16] == crc(data[16:]):
            yield name, data[16:]
    yield CABLE, cable


def keep_trial(root: str) -> None:
    """The one on trial has found the gateway."""
    os.rename(root + TRIAL, root + GOOD)


def remove(root: str, name: str) -> None:
    """Take one away, if it is there."""
    try:  # noqa: SIM105 - no contextlib on the chip
        os.remove(root + name)
    except OSError:
        pass


def marks(root: str) -> "list[Any]":
    """All of them; another program or another configuration by cable begins anew."""
    from kahriz_node import keep

    with open(root + CABLE, "rb") as file:
        whose = (crc(file.read()) + stamp.VERSION.encode()).decode()
    found: list[Any] = keep.load(root + MARKS) or [0]
    return found if found[0] == whose else [whose, 0, 0, 0]


def mark(root: str, which: int, value: int) -> None:
    """Set one of them, on flash at once."""
    from kahriz_node import keep

    found = marks(root)
    if found[which] != value:
        found[which] = value
        keep.save(root + MARKS, found)
