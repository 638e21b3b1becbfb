# SPDX-License-Identifier: MIT
"""From a bare board to a proven node: all steps in their order.

1. what the laptop makes (provision_laptop), 2. what is done at the board (provision_board),
3. what the board proves (provision_proof), 4. what is written down (provision_paper).
steps.py walks through them.
"""

from collections.abc import Callable, Sequence

from kahriz_tools.case import Case, Wish
from kahriz_tools.errors import BenchError
from kahriz_tools.provision_board import AtBoard
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.provision_paper import OnPaper
from kahriz_tools.provision_proof import Proof
from kahriz_tools.provision_readings import Readings
from kahriz_tools.provision_sheet import Sheet
from kahriz_tools.steps import Run, Step, Told, walk

NOT_WITHOUT = 2
MAY_BE_LEFT_OUT = (
    *("sensors", "wifi", "broker", "tls", "receipt", "readings", "records", "label", "sheet"),
)


def provision(
    wish: Wish,
    tell: Callable[[Told], None],
    hand: Callable[[str], None],
    dry_run: bool = False,
    without: Sequence[str] = (),
) -> tuple[Run, Case]:
    """Do what is not done yet; the board runs its program afterwards, if it has a whole one."""
    case = Case(wish, dry_run)
    laptop = Laptop(case)
    at_board = AtBoard(case, laptop, hand)
    proof = Proof(case, laptop, at_board)
    on_paper = OnPaper(case, laptop, at_board)
    for name in without:
        if name not in MAY_BE_LEFT_OUT:
            raise BenchError(
                f"the step {name} cannot be left out",
                f"these can: {', '.join(MAY_BE_LEFT_OUT)}",
                NOT_WITHOUT,
            )
    made = [*laptop.steps(), *at_board.steps(), *proof.steps()]
    sheet = Sheet(case, laptop, at_board, on_paper)
    steps = [*made, Readings(case).step(), *on_paper.steps(), sheet.step()]
    return _walk(case, at_board, steps, tell, without)


def rescue(
    wish: Wish, tell: Callable[[Told], None], hand: Callable[[str], None]
) -> tuple[Run, Case]:
    """Take the readings off a board and bring them to the gateway; nothing is written on it."""
    case = Case(wish)
    laptop = Laptop(case)
    at_board = AtBoard(case, laptop, hand)
    steps = [
        *(step for step in laptop.steps() if step.name != "laptop"),
        Step("board", "plug it in with a data cable", at_board.find),
        Step("pull", "repeat with another cable", at_board.saved, at_board.save),
        Readings(case).step(),
    ]
    return _walk(case, at_board, steps, tell, ())


def _walk(
    case: Case,
    at_board: AtBoard,
    steps: Sequence[Step],
    tell: Callable[[Told], None],
    without: Sequence[str],
) -> tuple[Run, Case]:
    with case.alone():
        case.load()
        try:
            return walk(steps, tell, case.dry_run, without), case
        finally:
            at_board.end()
