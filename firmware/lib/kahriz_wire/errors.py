# SPDX-License-Identifier: MIT
"""What a message that breaks the contract raises: it names the place and the mend."""


class WireError(Exception):
    """What cannot be read: `what` is the place; `mend`, which no chip carries, the mend."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what + ": " + mend if mend else what)
