# SPDX-License-Identifier: MIT
"""What goes wrong with a GSM stick, drawn from a seed: hangs, errors, a lost SIM, noise."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

KINDS = ("hang", "cms_error", "lost_sim", "garble", "no_echo", "slow", "lost_answer")


@dataclass
class Trouble:
    """A `share` of the commands (those in `on`) is struck by one of `kinds`, at most `most`."""

    share: float = 0.0
    kinds: tuple[str, ...] = KINDS
    seed: int = 0
    most: int = 1_000_000
    on: tuple[str, ...] = ()
    slow_s: float = 8.0
    struck: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def strikes(self, command: str) -> str | None:
        """What befalls this command, if anything."""
        if len(self.struck) >= self.most or (self.on and not command.startswith(self.on)):
            return None
        if self._random.random() >= self.share:
            return None
        what = self._random.choice(self.kinds)
        self.struck.append((command, what))
        return what
