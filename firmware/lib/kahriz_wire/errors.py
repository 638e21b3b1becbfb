# SPDX-License-Identifier: MIT
"""What a message that breaks the contract raises: it names the place and the mend."""


class WireError(Exception):
    """A message or a part of it that cannot be read: `what` is the place, `mend` the mend."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what + ": " + mend)
        self.what = what
        self.mend = mend
