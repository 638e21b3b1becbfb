# SPDX-License-Identifier: MIT
"""What this detector sees, in one sentence.

    formula(t) = what is computed

Two or three lines: why it works on a kahriz, and what it must not be fooled by.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame


class Template(Detector):
    """A level above a limit; it stands here for the shape of a detector.

    Parameters
    ----------
    key : the signal that is watched.
    limit : in the unit of the signal.

    Examples
    --------
    >>> high = Template("pool", limit=2.5)
    >>> [f.kind for f in high.step(Frame(1, 600_000, {"pool": 2.6}))]
    ['template']

    References
    ----------
    The standard, paper or note that the formula comes from.
    """

    kinds = ("template",)

    def __init__(self, key: str, limit: float) -> None:
        if limit <= 0:
            raise ValueError("limit must be positive")
        self.key, self.limit = key, limit
        self.open = False

    @property
    def name(self) -> str:
        return f"template:{self.key}"

    def step(self, frame: Frame) -> list[Finding]:
        value = frame.get(self.key)
        if value is None or (value > self.limit) == self.open:  # a gap neither raises nor clears
            return []
        self.open = not self.open
        what = RAISED if self.open else CLEARED
        evidence: dict[str, float | str] = {"value": value, "limit": self.limit}
        return [Finding(what, "template", self.key, frame.ts, evidence=evidence)]

    def dump(self) -> Any:
        return [self.open]

    def load(self, state: Any) -> None:
        (self.open,) = state
