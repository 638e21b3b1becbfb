# SPDX-License-Identifier: MIT
"""The person at the meter in `kahriz node accept`: told what to do, asked, and asked again."""

from typing import TYPE_CHECKING

import rich_click as click

from kahriz_tools.accept_file import Result
from kahriz_tools.accept_steps import Step
from kahriz_tools.accept_sums import DoubtError, figure
from kahriz_tools.talk import Talk

if TYPE_CHECKING:
    from kahriz_tools.accept_board import Bench

AGAIN = "r"
TIMES = ("mC", "share")  # figures that need more of the board than the meter's reading


class Asker:
    """Readings given beforehand are taken first; without a person a step stays open."""

    def __init__(self, talk: Talk, result: Result, given: dict[str, float], person: bool) -> None:
        self.talk = talk
        self.result = result
        self._given = given
        self._person = person

    def read(self, step: Step) -> None:
        """A reading for which the board holds nothing."""
        self._ask(step, None, 0)

    def measure(self, step: Step, bench: "Bench", hold_s: int) -> None:
        """Hold a state, then ask; again as often as the person likes."""
        self._ask(step, bench, hold_s)

    def _ask(self, step: Step, bench: "Bench | None", hold_s: int) -> None:
        if step.key in self.result.steps:
            return
        given = self._given.get(step.key)
        if given is None and not self._person:
            return
        while True:
            try:
                if bench is not None and given is None:
                    self._hold(step, bench, hold_s)
                elif bench is not None and step.unit in TIMES:
                    bench.hold(step, 1)
                else:
                    self.talk.say(f"{step.key}: {step.do}")
                read = self._prompt(step) if given is None else given
                if read is None:
                    continue
                seconds = None if bench is None else bench.seconds.get(step.key)
                self.result.put(step.key, read, figure(step, read, self.result, seconds))
            except DoubtError as doubt:
                self.talk.say(f"{step.key}: {doubt}")
                if given is not None:
                    return
                if self._said("Enter: once more; else why it is left out") == "":
                    continue
                self.result.skip(step.key, f"{self._last} ({doubt})")
            except LeftOutError:
                self.result.skip(step.key, self._last)
            return

    def _hold(self, step: Step, bench: "Bench", hold_s: int) -> None:
        self.talk.say(f"{step.key}: the board is now {step.do}, for {hold_s} s; read the average "
                      "of the last ten")  # fmt: skip
        bench.hold(step, hold_s)

    def _prompt(self, step: Step) -> float | None:
        """The reading; None: hold it once more."""
        unit = "mA" if step.unit in ("mA", "mC", "share") else step.unit
        while True:
            said = self._said(f"{unit} ({AGAIN}: once more; Enter: leave it out)")
            if said == AGAIN:
                return None
            if not said:
                if self._said("why is it left out? (Enter: back)"):
                    raise LeftOutError
                continue
            try:
                read = float(said.replace(",", "."))
            except ValueError:
                read = float("nan")
            if 0.0 <= read < 1e6:
                return read
            self.talk.say(f"{said!r} is no reading: a number, such as 41.5")

    def _said(self, text: str) -> str:
        try:
            self._last = str(click.prompt(text, default="", show_default=False, err=True)).strip()
        except click.Abort:
            raise KeyboardInterrupt from None
        return self._last


class LeftOutError(Exception):
    """The person leaves a step out, and has said why."""
