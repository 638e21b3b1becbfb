# SPDX-License-Identifier: MIT
"""The wire contract, version 1: fields, topics, messages; one source for node and gateway."""


class WireError(Exception):
    """What cannot be read: `what` is the place; `mend`, which no chip carries, the mend."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what + ": " + mend if mend else what)
