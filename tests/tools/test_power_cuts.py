# SPDX-License-Identifier: MIT
"""The cable is pulled at every single block write of an update: old or new, never half of each."""

import json
import subprocess
from pathlib import Path

from kahriz_tools import flash
from kahriz_tools.board import Board
from kahriz_tools.errors import BenchError
from tests.tools.fake_board import BLOCKS, CHIP, ESP32, OPTIONS, FakeBoard, micropython

ANSWER_S = 60


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
    words = [micropython(), *OPTIONS[:-1], str(CHIP), str(image), str(BLOCKS), json.dumps(ESP32)]
    done = subprocess.run([*words, "run"], capture_output=True, text=True, check=True)
    return next(line for line in done.stdout.splitlines() if line.startswith("runs"))


def test_a_cable_pulled_at_any_write_leaves_a_whole_program(tmp_path: Path) -> None:
    """All states that a cut can leave are the beginnings of one update's writes."""
    image = tmp_path / "flash.lfs"
    with FakeBoard(image) as board:
        put(board, program(1))
    before = image.read_bytes()
    with FakeBoard(image) as board:
        board.note_writes()
        put(board, program(2))
        writes = board.writes()
    Path(f"{image}.log").unlink()
    assert len(writes) > 20
    state = bytearray(before)
    seen = []
    for at, data in [(0, b""), *writes]:
        state[at : at + len(data)] = data
        image.write_bytes(state)
        seen.append(starts(image))
        assert seen[-1] in ("runs 1 1 1", "runs 2 2 2"), f"after {len(seen) - 1} writes"
    assert seen[0] == "runs 1 1 1"
    assert seen[-2:] == ["runs 2 2 2"] * 2
    assert seen == sorted(seen)  # one point of no return
    turn = seen.index("runs 2 2 2")
    for cut in (0, turn - 1, turn, len(writes) - 1):
        image.write_bytes(before)
        with FakeBoard(image) as board:
            board.cut_after(cut)
            assert "repeat the command" in complaint_of(board, program(2))
            board.cut_after(None)
        assert starts(image) == seen[cut], "the cable itself leaves just this"


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
