# SPDX-License-Identifier: MIT
"""The configurations on flash: the cable's, the last good one, and one on trial.

/config.json is the cable's. /config.run came by receipt and found the gateway; /config.try has
still to find it. Both begin with the CRC of the cable's they were made over and their own: a new
cable configuration ends them, a broken one is not there.
"""

import os

from kahriz_node.memory import crc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Iterator

CABLE = "/config.json"
GOOD = "/config.run"
TRIAL = "/config.try"
FETCHED = "/config.new"  # as it came, not looked at
TRIES = 3


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


def keep(root: str) -> None:
    """The one on trial has found the gateway."""
    os.rename(root + TRIAL, root + GOOD)


def remove(root: str, name: str) -> None:
    """Take one away, if it is there."""
    try:  # noqa: SIM105 - no contextlib on the chip
        os.remove(root + name)
    except OSError:
        pass
