# SPDX-License-Identifier: MIT
"""What a setup does, or with --dry-run would do: told line by line, made only when it is real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

Made = TypeVar("Made")


@dataclass(slots=True)
class Changes:
    """Counts and tells. `make` returns None where nothing was made."""

    tell: Callable[[str], None]
    dry: bool = False
    count: int = field(default=0)

    def make(self, what: str, do: Callable[[], Made]) -> Made | None:
        self.count += 1
        if self.dry:
            self.tell(f"would {what}")
            return None
        made = do()
        self.tell(f"done: {what}")
        return made
