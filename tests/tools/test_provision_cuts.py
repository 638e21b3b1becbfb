# SPDX-License-Identifier: MIT
"""Accidents of commissioning: the board is old and whole, or unfinished and silent, or new."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kahriz_tools import filesystem, micropython
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_tools.provision import provision
from kahriz_tools.steps import Told, walk
from tests.tools.bench_board import VFS, BenchBoard, Flash
from tests.tools.commission import BEFORE_IMAGE, Commission, Prepared, small_micropython, wanted

pytestmark = pytest.mark.needs("mosquitto")


def run(field: Commission, board: BenchBoard, tell: Callable[[Told], None], **changes: Any) -> Any:
    return provision(wanted(field, board.port, **changes), tell, lambda _: None)[0]


def test_a_cable_pulled_mid_write_leaves_no_half_node_and_the_next_run_goes_on(
    field: Commission, first: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_tools.board.Board.__init__.__defaults__", (0.3,))
    micro = field.folder / "firmware" / "small.bin"
    micropython.keep(field.folder, str(_another(field)), None, unpinned=True)
    try:
        with field.board() as board:
            found = run(field, board, lambda _: None)
            assert found.failed is not None
            assert "keeps" in found.failed.what
            assert "files of readings" in found.failed.what
            assert "--discard" in found.failed.mend
            assert field.flash.starts, "nothing was written"
        field.flash.cut = field.flash.writes + 3
        with field.board() as board:
            found = run(field, board, lambda _: None, discard=True)
            assert found.failed is not None
            assert found.failed.what.startswith("flash: the board on")
            assert "goes on where it stopped" in found.failed.mend
        assert not field.flash.starts, "half a node must not run"
        field.flash.cut = None
        monkeypatch.undo()
        with field.board() as board:
            spoil = {"flash": 0x10400}  # a byte that changes between writing and verifying
            found = run(field, board, lambda t: _spoil(field, t, spoil))
            assert found.failed is not None
            assert found.failed.what == "verify: the flash does not hold what was written"
            found = run(field, board, lambda _: None)
            assert found.failed is None, found.told
            assert "flash" in found.did
        pulled = list((field.folder / "commissioned" / "outlet" / "pulled").glob("*/journal.2/*/*"))
        assert pulled, "the readings of the board before"
    finally:
        assert micro.exists()


def _another(field: Commission) -> Path:
    """A newer MicroPython."""
    file = field.folder / "newer.bin"
    data = bytearray(small_micropython())
    data[100] ^= 1  # in the boot loader
    file.write_bytes(data)
    return file


def _spoil(field: Commission, told: Told, spoil: dict[str, int]) -> None:
    if told.name in spoil:
        field.flash.data[spoil[told.name]] ^= 1


def test_a_board_that_does_not_start_says_so(
    field: Commission, first: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_tools.board.Board.__init__.__defaults__", (0.3,))
    prepared = Prepared(field)
    begin, field.flash.data[0x1000] = field.flash.data[0x1000], 0
    try:
        with field.board() as board:
            prepared.at_board.port = board.port
            found = prepared.fails("boot", *BEFORE_IMAGE)
    finally:
        field.flash.data[0x1000] = begin
    assert "nothing answers as MicroPython" in found.says
    assert "EN" in found.mend


def test_a_step_that_must_be_done_cannot_be_left_out(field: Commission) -> None:
    with pytest.raises(BenchError, match="cannot be left out"):
        provision(wanted(field), lambda _: None, lambda _: None, without=["flash"])


def test_readings_of_a_board_that_no_longer_starts_are_pulled_through_its_boot_loader(
    field: Commission, first: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_tools.provision_board.LOOK_S", 0.3)
    rows = {"/journal.2/9f3a01c2/tail": b"readings" * 40, "/boots": b"3"}
    old = Flash()
    old.data[0x1000] = 0  # a boot loader that is none: neither blank nor alive
    old.data[VFS : VFS + 0x10000] = filesystem.make(rows, 0x10000)
    with BenchBoard(tmp_path / "board", old) as board:
        prepared = Prepared(field, board.port)
        walk([prepared.steps[name] for name in ("site", "micropython")], lambda _: None)
        prepared.laptop.firmware = micropython.look("small", small_micropython(0x10000))
        found = prepared.fails("journal", "board", "chip")
    assert "keeps 1 files of readings" in found.says
    pulled = (field.folder / "commissioned" / "outlet" / "pulled").rglob("tail")
    assert rows["/journal.2/9f3a01c2/tail"] in [file.read_bytes() for file in pulled]


def test_a_second_run_at_once_and_a_spoiled_state_are_told_in_words(
    field: Commission, first: object
) -> None:
    case = Case(wanted(field))
    with case.alone(), pytest.raises(BenchError, match="another run works on outlet"):
        provision(wanted(field), lambda _: None, lambda _: None)
    state = case.home / "state.json"
    kept = state.read_bytes()
    for spoiled in (b"{garbage", b"[1]"):
        state.write_bytes(spoiled)
        with pytest.raises(BenchError, match="move it away"):
            Case(wanted(field)).load()
    state.write_bytes(kept)
