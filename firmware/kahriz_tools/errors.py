# SPDX-License-Identifier: MIT
"""The one error of the technician's tools: what is wrong, and the mend, in one line."""


class BenchError(Exception):
    """A step that could not be done; `code` is the stable exit code of the command."""

    def __init__(self, what: str, mend: str, code: int = 1) -> None:
        super().__init__(f"{what}: {mend}")
        self.what = what
        self.mend = mend
        self.code = code
