# SPDX-License-Identifier: MIT
"""What a hard day does to a commissioning: a full disk, Ctrl-C, a wrong port, a wrong clock."""

import contextlib
import json
import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kahriz_tools import filesystem, micropython, provision_cli, selftest
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_tools.esptool import Esptool
from kahriz_tools.provision import provision
from kahriz_tools.steps import Step, Told, walk
from tests.tools.bench_board import VFS, VFS_BYTES, BenchBoard
from tests.tools.commission import BEFORE_IMAGE, Commission, Prepared, small_micropython, wanted

pytestmark = pytest.mark.needs("mosquitto")


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow by a byte; the kernel says so, not we."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def litter(field: Commission) -> list[Path]:
    return list((field.folder / "commissioned").rglob(".*"))


def done(field: Commission, *names: str) -> Prepared:
    prepared = Prepared(field)
    walk([prepared.steps[name] for name in names], lambda _: None)
    return prepared


# --- the disk is full


@pytest.mark.parametrize(
    ("step", "file", "before"),
    [
        ("label", "label.svg", BEFORE_IMAGE),
        ("sheet", "sheet.pdf", (*BEFORE_IMAGE, "records")),
        ("sheet", "sheet.json", (*BEFORE_IMAGE, "records")),
        ("sheet", "sheet.sig", (*BEFORE_IMAGE, "records")),
    ],
)
def test_a_full_disk_is_told_and_the_repeated_step_makes_it_whole(
    field: Commission, first: object, step: str, file: str, before: tuple[str, ...]
) -> None:
    home = field.folder / "commissioned" / "outlet"
    (home / file).unlink()
    prepared = done(field, *before)
    with full_disk():
        found = prepared.fails(step)
    assert found.says.startswith(f"cannot write {home}/")
    assert "make room" in found.mend
    assert litter(field) == [], "nothing half written stays"
    again = walk([prepared.steps[step]], lambda _: None)
    assert again.failed is None
    assert again.did == [step]
    assert (home / file).is_file()


def test_readings_that_cannot_be_saved_stay_on_the_board(field: Commission, first: object) -> None:
    prepared = done(field, *BEFORE_IMAGE)
    prepared.at_board.readings = {"/journal.2/9f3a01c2/tail": b"unsaved!" * 40}
    with full_disk():
        found = prepared.fails("journal")
    assert found.says.startswith("cannot write ")
    assert field.flash.starts, "the board was not touched"


def test_a_laptop_that_can_write_nothing_begins_no_flash(field: Commission, first: object) -> None:
    prepared = done(field, *BEFORE_IMAGE, "image")
    prepared.at_board.tool = Esptool("/dev/none")  # would say another thing
    prepared.laptop.case.state = {}
    with full_disk():
        found = prepared.fails("flash")
    assert found.says.startswith("cannot write ")
    assert "state.json" in found.says


# --- the cable


class Pulled(BenchBoard):
    """Its cable goes when it has heard `at`, before it can answer."""

    at: bytes | None = None
    heard = b""

    def _from_cable(self, data: bytes) -> None:
        self.heard += data
        if self.at is not None and self.at in self.heard:
            self.flash_chip.power_goes.set()
        else:
            super()._from_cable(data)


def test_a_cable_pulled_while_readings_are_read_leaves_the_board_as_it_was(
    field: Commission, first: object
) -> None:
    before = bytes(field.flash.data[:VFS])
    with Pulled(field.folder / "board", field.flash) as board:
        prepared = Prepared(field, board.port)
        walk([prepared.steps[name] for name in ("site", "micropython", "board")], lambda _: None)
        prepared.laptop.firmware = micropython.look("new", small_micropython(says=b"newer"))
        board.at = b"f = open('/journal"
        found = prepared.fails("chip")
    assert board.at in board.heard, "it was at the readings"
    assert "went away" in found.says
    assert "goes on where it stopped" in found.mend
    assert bytes(field.flash.data[:VFS]) == before


# --- Ctrl-C


def test_ctrl_c_between_steps_ends_in_words_and_the_next_run_goes_on(
    field: Commission, first: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each of the four parts of a real run; the last run has nothing left to do."""
    steps = ("certificate", "files", "tls", "sheet")
    with field.board() as board:
        for step in steps:
            with monkeypatch.context() as pressed:
                say = provision_cli._say

                def ctrl_c(talk: Any, told: Told, at: str = step, then: Any = say) -> None:
                    then(talk, told)
                    if told.name == at:
                        raise KeyboardInterrupt

                pressed.setattr(provision_cli, "_say", ctrl_c)
                result = field.provision(board.port)
            assert result.exit_code == 130, result.output
            assert "repeat the command, it goes on" in result.stderr
        last = json.loads(field.provision(board.port).stdout)
    assert (last["ok"], last.get("did")) == (True, []), last


def test_ctrl_c_while_the_flash_is_written_leaves_no_half_node(
    field: Commission, first: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, pressed = Esptool.write, [0]

    def ctrl_c(tool: Esptool, pieces: Any) -> None:
        pressed[0] += 1
        if pressed[0] == 2:
            raise KeyboardInterrupt
        write(tool, pieces)

    with field.board() as board:
        prepared = Prepared(field, board.port)
        walk([prepared.steps[name] for name in (*BEFORE_IMAGE, "image")], lambda _: None)
        prepared.at_board.tool = Esptool(board.port, by_hand=True)
        with monkeypatch.context() as keyboard:
            keyboard.setattr(Esptool, "write", ctrl_c)
            with pytest.raises(KeyboardInterrupt):
                walk([prepared.steps["flash"]], lambda _: None)
        assert not field.flash.starts, "half a node must not run"
        run, _ = provision(wanted(field, board.port), lambda _: None, lambda _: None)
    assert run.failed is None, run.told
    assert "flash" in run.did
    assert field.flash.starts


def test_a_flash_that_was_only_announced_costs_no_readings(
    field: Commission, first: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the note and before the first erased byte: the board lives and goes on."""
    with field.board() as board:
        prepared = Prepared(field, board.port, again=True)
        assert walk([prepared.steps[n] for n in (*BEFORE_IMAGE, "tls")], lambda _: None).did
        prepared.at_board.end()
        case = Case(wanted(field, board.port))
        case.load()
        case.keep(unfinished=True)
        run, _ = provision(wanted(field, board.port), lambda _: None, lambda _: None)
    assert run.failed is not None, run.told
    assert "files of readings" in run.failed.what
    assert "--discard" in run.failed.mend
    files = filesystem.read(bytes(field.flash.data[VFS : VFS + VFS_BYTES]))
    assert filesystem.journals(files or {})
    case.load()
    case.keep(unfinished=False)
    shutil.rmtree(case.home / "pulled")  # the board has them still


def test_a_run_that_has_ended_locks_nobody_out_though_a_program_of_it_still_lives(
    field: Commission, first: object
) -> None:
    """As one does between fork and exec, holding copies of all that was open."""
    ended, end = os.pipe()
    case = Case(wanted(field))
    with case.alone():
        child = os.fork()
        if child == 0:
            os.close(end)
            os.read(ended, 1)
            os._exit(0)
    os.close(ended)
    try:
        with case.alone():
            pass
    finally:
        os.close(end)
        os.waitpid(child, 0)


def test_a_walk_that_is_interrupted_has_done_nothing_after(monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[str] = []

    def interrupted() -> str:
        raise KeyboardInterrupt

    steps = [
        Step("one", "-", lambda: came.append("one") or "done"),  # type: ignore[func-returns-value]
        Step("two", "-", interrupted),
        Step("three", "-", lambda: came.append("three") or "done"),  # type: ignore[func-returns-value]
    ]
    with pytest.raises(KeyboardInterrupt):
        walk(steps, lambda _: None)
    assert came == ["one"]


# --- wrong port, wrong clock


@pytest.mark.parametrize("port", ["/dev/null", "/tmp"])
def test_a_port_that_is_none_is_not_called_busy(field: Commission, port: str) -> None:
    found = Prepared(field, port).fails("board", "micropython")
    assert found.says == f"{port} is no serial port"


@pytest.mark.parametrize(("ahead_s", "word"), [(3600, "ahead of"), (-90_000, "behind")])
def test_a_laptop_with_another_clock_than_the_gateway_is_told(ahead_s: int, word: str) -> None:
    with pytest.raises(BenchError, match=f"{abs(ahead_s)} s {word} the gateway's"):
        selftest.judge_receipt({"answered": True, "ahead_s": ahead_s})
    assert selftest.judge_receipt({"answered": True, "ahead_s": 3})
    assert selftest.judge_receipt({"answered": True, "ahead_s": None}), "its clock is not set yet"


def test_the_clock_of_the_gateway_is_what_the_board_was_told(
    field: Commission, proven: BenchBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selftest, "time", SimpleNamespace(time=lambda: time.time() + 7200))
    found = Prepared(field, proven.port, again=True).fails("receipt", *BEFORE_IMAGE, "tls")
    assert "s ahead of the gateway's" in found.says
    assert "dated by yours" in found.mend
