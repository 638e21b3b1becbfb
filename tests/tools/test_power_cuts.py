# SPDX-License-Identifier: MIT
"""The cable is pulled at every single block write of an update: old or new, never half of each."""

from pathlib import Path

from kahriz_tools import flash
from kahriz_tools.board import Board
from kahriz_tools.errors import BenchError
from tests.tools.fake_board import FakeBoard

ANSWER_S = 5
MOST_WRITES = 1000


def program(version: int) -> dict[str, bytes]:
    """Three files that say their version; main.py prints all of them."""
    main = f"import kahriz_node.a as a, kahriz_wire.b as b\nprint('runs', {version}, a.V, b.V)\n"
    return {
        "/boot.py": f"print('boot', {version})\n".encode(),
        "/main.py": main.encode(),
        "/lib/kahriz_node/a.py": f"V = {version}\n".encode(),
        "/lib/kahriz_wire/b.py": f"V = {version}\n{'#' * 3000}".encode(),
    }


def put(board: FakeBoard, wanted: dict[str, bytes]) -> flash.Change:
    with Board(board.port, ANSWER_S) as session:
        change = flash.plan(session, wanted)
        flash.perform(session, wanted, change, lambda _: None)
        return change


def complaint_of(board: FakeBoard, wanted: dict[str, bytes]) -> str:
    """What the technician is told; nothing when all went well."""
    try:
        put(board, wanted)
    except BenchError as error:
        return str(error)
    return ""


def starts(image: Path) -> str:
    """What the program says when the power comes back."""
    with FakeBoard(image) as board:
        return board.hear("runs")


def test_a_cable_pulled_at_any_write_leaves_a_whole_program(tmp_path: Path) -> None:
    image = tmp_path / "flash.lfs"
    with FakeBoard(image) as board:
        put(board, program(1))
    before = image.read_bytes()
    seen = []
    for writes in range(MOST_WRITES):
        image.write_bytes(before)
        with FakeBoard(image) as board:
            board.cut_after(writes)
            complaint = complaint_of(board, program(2))
            board.cut_after(None)
        seen.append(starts(image))
        assert seen[-1] in ("runs 1 1 1", "runs 2 2 2"), f"after {writes} writes"
        if not complaint:
            break
        assert "repeat the command" in complaint
    assert not complaint
    assert seen[0] == "runs 1 1 1"
    assert seen[-2:] == ["runs 2 2 2"] * 2
    assert seen == sorted(seen)  # one point of no return


def test_a_repeated_run_goes_on_where_the_cut_one_stopped(tmp_path: Path) -> None:
    image = tmp_path / "flash.lfs"
    wanted = {f"/lib/kahriz_node/m{n}.py": bytes([65 + n]) * 5000 for n in range(6)}
    wanted |= program(1)
    with FakeBoard(image) as board:
        board.cut_after(40)
        assert complaint_of(board, wanted)
        board.cut_after(None)
    with FakeBoard(image) as board, Board(board.port, ANSWER_S) as session:
        staged = set(session.files("/stage"))
        assert staged
        wrote: list[int] = []
        flash.perform(session, wanted, flash.plan(session, wanted), wrote.append)
        assert sum(wrote) < sum(len(data) for data in wanted.values())
        assert session.files("/stage") == []
        assert flash.plan(session, wanted).write == ()
