# SPDX-License-Identifier: MIT
"""`kahriz gateway check`: what a gateway needs before it starts, each with its mend.

The looking itself is in checks/, where `kahriz doctor` finds it too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kahriz_gateway.checks import IDLE, About, examine
from kahriz_gateway.config import Options

BEFORE_START = ("plan", "people", "data", "clock", "broker", "store", "records")


@dataclass(frozen=True, slots=True)
class Result:
    """One check: passed or not, and what it found with the mend."""

    name: str
    passed: bool
    says: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def checks(options: Options) -> list[Result]:
    """The checks before a start; what cannot be judged without the plan is left out."""
    results = examine(About(options), BEFORE_START)
    return [
        Result(each.name, each.passed, ": ".join(filter(None, (found.says, found.mend))))
        for each in results
        if (found := each.finding).state != IDLE
    ]
