# SPDX-License-Identifier: MIT
"""The step that brings the readings pulled off a board to the gateway, each of them once."""

from pathlib import Path

from kahriz_tools import node_config, pulled
from kahriz_tools.case import Case
from kahriz_tools.steps import Step

RESCUE = "`kahriz node rescue` while the old board still answers"


class Readings:
    """What lies in commissioned/<node>/pulled; the gateway's ledger knows what is new of it."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._said: list[str] = []

    def step(self) -> Step:
        return Step("readings", "keep the pulled files", self.delivered, self.deliver, waits=True)

    def delivered(self) -> str | None:
        """Told in words when nothing waits."""
        ours, strange = self._ours()
        waiting = [folder for folder in ours if self._mark(folder) is not None]
        if waiting:
            return None
        aside = "".join(f"; {folder} is {_whose(folder)}: bring it there" for folder in strange)
        if not ours:
            replaced = "" if not self.case.wish.other_board else f"; {RESCUE}"
            return f"none were pulled{replaced}{aside}"
        return f"the gateway has what was pulled ({'; '.join(self._said) or 'before'}){aside}"

    def deliver(self) -> None:
        for folder in self._ours()[0]:
            mark = self._mark(folder)
            if mark is None:
                continue
            text = pulled.messages(folder)
            if text:
                said = self.case.wish.gateway.run("deliver", "-", given=text, plan=True)
                self._said.append(said.strip())
            else:
                self._said.append("an empty journal")
            done = [*self.case.state.get("delivered", []), mark]
            self.case.keep(delivered=sorted(set(done)))

    def _mark(self, folder: Path) -> str | None:
        """The sum of a pull that the gateway was not given yet."""
        mark = pulled.mark(folder)
        return None if mark in self.case.state.get("delivered", []) else mark

    def _ours(self) -> tuple[list[Path], list[Path]]:
        """Pulls of this site, and those that are another's or nobody's."""
        site = node_config.load(str(self.case.wish.site), self.case.wish.node).get("site")
        found = [(folder, pulled.owner(folder)) for folder in pulled.folders(self.case)]
        ours = [folder for folder, owner in found if owner.get("site") == site]
        return ours, [folder for folder, owner in found if owner.get("site") != site]


def _whose(folder: Path) -> str:
    owner = pulled.owner(folder)
    return f"of {owner['site']}/{owner['node']}" if owner else "of a node that nobody knows"
