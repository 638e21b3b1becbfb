# SPDX-License-Identifier: MIT
"""A technician's work as a list of steps: looked at, done when needed, looked at again.

A step that already holds is never done twice, so a run that was cut goes on where it stopped, and
a run with nothing to change writes nothing. The first step that fails ends the run.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kahriz_tools.errors import BenchError

PASS, FAIL, WOULD, LEFT = "PASS", "FAIL", "would", "left out"
FAILED = 1  # exit code of a step that was done and does not hold


@dataclass(frozen=True)
class Step:
    """`verify` says in words how it stands, or None while it does not; `do` makes it so.

    `waits` marks a step that cannot even be looked at in a dry run before those above are done.
    """

    name: str
    mend: str
    verify: Callable[[], str | None]
    do: Callable[[], None] | None = None
    waits: bool = False


@dataclass
class Told:
    """What came of one step."""

    name: str
    state: str
    says: str
    mend: str = ""
    seconds: float = 0.0
    did: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value != ""}


@dataclass
class Run:
    """How far a run has come; `failed` carries the exit code."""

    told: list[Told] = field(default_factory=list)
    failed: BenchError | None = None

    @property
    def did(self) -> list[str]:
        return [one.name for one in self.told if one.did]


def walk(
    steps: Sequence[Step],
    tell: Callable[[Told], None],
    dry_run: bool = False,
    without: Sequence[str] = (),
) -> Run:
    """Do the steps in their order until one fails."""
    run = Run()
    pending = False  # in a dry run: something above would be done
    for step in steps:
        begin = time.monotonic()
        told = Told(step.name, PASS, "")
        try:
            if step.name in without:
                told.state, told.says = LEFT, "as asked: this site is not closed"
            elif dry_run and pending and step.waits:
                told.state, told.says = WOULD, "after the steps above"
            else:
                pending = _one(step, told, dry_run) or pending
        except BenchError as error:
            told.state, told.says, told.mend = FAIL, error.what, error.mend
            run.failed = BenchError(f"{step.name}: {error.what}", error.mend, error.code)
        told.seconds = round(time.monotonic() - begin, 2)
        run.told.append(told)
        tell(told)
        if run.failed is not None:
            break
    return run


def _one(step: Step, told: Told, dry_run: bool) -> bool:
    """Look, do, look again; whether a dry run leaves it to be done."""
    found = step.verify()
    if found is None and dry_run:
        told.state, told.says = WOULD, "be done"
        return True
    if found is None and step.do is not None:
        step.do()
        told.did = True
        found = step.verify()
    if found is None:
        raise BenchError("it does not hold", step.mend, FAILED)
    told.says = found
    return False
