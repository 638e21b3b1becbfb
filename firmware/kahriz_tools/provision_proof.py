# SPDX-License-Identifier: MIT
"""Steps of commissioning in which the board proves itself: sensors, Wi-Fi, broker, TLS, receipt."""

from collections.abc import Callable
from typing import Any

from kahriz_tools import selftest
from kahriz_tools.board import Board
from kahriz_tools.case import Case, now
from kahriz_tools.provision_board import AtBoard
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.steps import Step


class Proof:
    """The self-test; what has passed with this very program on this board is not tried again."""

    def __init__(self, case: Case, laptop: Laptop, at_board: AtBoard) -> None:
        self.case = case
        self.laptop = laptop
        self.at_board = at_board
        self._fresh: dict[str, dict[str, Any]] = {}

    def steps(self) -> list[Step]:
        s, again = Step, "repeat; if it happens again, change the board"
        return [
            s("sensors", again, self.sensors, self._try("sensors", selftest.sensors), True),
            s("wifi", again, self.wifi, self._try("radio", selftest.radio), True),
            s("broker", again, self.broker, self._try("radio", selftest.radio), True),
            s("tls", again, self.tls, self._try("wake", selftest.wake), True),
            s("receipt", again, self.receipt, self._try("wake", selftest.wake), True),
        ]

    def sensors(self) -> str | None:
        """A piece of the self-test that passed with this very program on this board holds."""
        told = self._known("sensors")
        if told is None:
            return None
        said = selftest.judge_sensors(self.laptop.config, told)
        self._proved("sensors")
        return said

    def wifi(self) -> str | None:
        told = self._known("radio")
        if told is None:
            return None
        return selftest.judge_radio(self.laptop.config, told, self.case.wish.least_dbm)

    def broker(self) -> str | None:
        told = self._known("radio")
        if told is None:
            return None
        said = selftest.judge_broker(self.laptop.config, told)
        self._proved("radio")
        return said

    def tls(self) -> str | None:
        told = self._known("wake")
        return None if told is None else selftest.judge_tls(self.laptop.config, told)

    def receipt(self) -> str | None:
        told = self._known("wake")
        if told is None:
            return None
        said = selftest.judge_receipt(told)
        self._proved("wake")
        return said

    def _try(self, what: str, how: Callable[[Board], dict[str, Any]]) -> Callable[[], None]:
        def do() -> None:
            self._fresh[what] = how(self.at_board.open())

        return do

    def _known(self, what: str) -> dict[str, Any] | None:
        kept = self.case.state.get("proof", {})
        if what in self._fresh:
            return self._fresh[what]
        if self.case.wish.again or kept.get("of") != self._mark:
            return None
        found: dict[str, Any] | None = kept.get(what)
        return found

    def _proved(self, what: str) -> None:
        """Keep what has passed; what failed is never kept, so a repeated run tries it again."""
        if what not in self._fresh:
            return
        proof = self.case.state.get("proof", {})
        if proof.get("of") != self._mark:
            proof = {"of": self._mark}
        self.case.keep(proof={**proof, what: self._fresh[what], "at": now()})

    @property
    def _mark(self) -> str:
        return f"{self.at_board.chip.mac} {self.laptop.mark}"
