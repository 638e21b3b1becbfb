# SPDX-License-Identifier: MIT
"""Where interpreted values go besides our own store."""


class DeliveryError(Exception):
    """A delivery failed; `permanent` when waiting does not mend it and a person must act."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
