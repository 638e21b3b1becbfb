# SPDX-License-Identifier: MIT
"""Put the program and one node's configuration on a board: what differs, verified, all at once.

1. compare sha256 of every file; 2. write what differs to /stage and verify it there; 3. one
rename of boot.py commits, the mover does the rest; 4. verify in place; 5. restart.
Before 3 the old program runs on after a pulled cable, after 3 the new one; never half of each.
The journal and all that is not ours is never touched.
"""

import hashlib
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from kahriz_tools import mover
from kahriz_tools.board import FULL, LOST, WRONG, Board, Identity
from kahriz_tools.errors import BenchError
from kahriz_tools.image import PACKAGES, build_image
from kahriz_tools.node_config import CONFIG_CODE, Json
from kahriz_wire import release

PLATFORM = "esp32"
OLDEST = (1, 23, 0)  # first release with the vfs and tls modules; MicroPython release notes
FIRST_JOURNAL = "/journal"  # of form 1; the others have their number in the name
SLOT = "/sel"  # names a program that came over the air: what comes by cable shall run instead
STAGE_BLOCKS = 8  # folders and the mover, with margin
STAGED_BOOT = f"{mover.STAGE}/boot.py"
COMMIT = f"{mover.STAGE}.boot"  # the mover, until it is renamed to /boot.py


@dataclass(frozen=True)
class Change:
    """What a run has to do, or has done."""

    write: tuple[str, ...]
    remove: tuple[str, ...]
    unchanged: int
    size_bytes: int


def program(drivers: Collection[str]) -> dict[str, bytes]:
    """The compiled program with these sensor drivers: path on the board -> content."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        return {
            f"/{path.relative_to(root).as_posix()}": path.read_bytes()
            for path in build_image(root, drivers)
        }


def check_board(found: Identity, wanted: dict[str, bytes]) -> None:
    """Refuse what cannot run the program."""
    if found.platform != PLATFORM:
        raise BenchError(
            f"this is MicroPython on {found.platform}, not on an ESP32", "check the port", WRONG
        )
    if found.version < OLDEST:
        running, oldest = (".".join(map(str, v)) for v in (found.version, OLDEST))
        raise BenchError(
            f"MicroPython {running} is too old",
            f"flash the official ESP32 build {oldest} or newer",
            WRONG,
        )
    compiled = {data[1] for path, data in wanted.items() if path.endswith(".mpy")}
    if compiled - {found.mpy}:
        raise BenchError(
            f"the board loads .mpy v{found.mpy}, this program is v{min(compiled)}",
            "flash the newest official ESP32 build, or update kahriz-monitor",
            WRONG,
        )


def check_journal(board: Board, config: Json, on_board: Json | None) -> None:
    """Readings that a board still keeps belong to the node it was, and are of a form we know."""
    form = max(map(_form, board.files("/")), default=0)
    if form > release.FORM:
        raise BenchError(
            f"this board keeps its readings in form {form}, this program knows form {release.FORM}",
            "update kahriz-monitor on this laptop: an older program would not find them",
            CONFIG_CODE,
        )
    was, becomes = (
        "/".join(str(found.get(key)) for key in ("site", "node"))
        for found in (on_board or {}, config)
    )
    if on_board is not None and was != becomes and form:
        raise BenchError(
            f"this board is {was} and keeps readings, which would be sent as {becomes}",
            "let it upload to its own gateway, or `kahriz node rescue` them and then `esptool "
            "erase-flash`; if the node was only renamed, `kahriz node flash --rename`",
            CONFIG_CODE,
        )


def _form(path: str) -> int:
    """Of the journal that a file on the board belongs to; 0 when to none.

    >>> _form("/journal/9f3a01c2/00000001"), _form("/journal.3/9f3a01c2/tail"), _form("/boots")
    (1, 3, 0)
    """
    top = f"/{path.split('/')[1]}"
    if top == FIRST_JOURNAL:
        return 1
    number = top.removeprefix(f"{FIRST_JOURNAL}.")
    return int(number) if number != top and number.isdigit() else 0


def plan(board: Board, wanted: dict[str, bytes]) -> Change:
    """Compare; nothing is written."""
    on_board = board.hashes(sorted(wanted))
    write = tuple(p for p in sorted(wanted) if on_board[p] != _sha(wanted[p]))
    ours = [path for package in PACKAGES for path in board.files(f"/lib/{package}")]
    if board.hashes([SLOT])[SLOT] is not None:
        ours.append(SLOT)
    remove = tuple(path for path in sorted(ours) if path not in wanted)
    size = sum(len(wanted[path]) for path in write)
    return Change(write, remove, len(wanted) - len(write), size)


def perform(
    board: Board, wanted: dict[str, bytes], change: Change, wrote: Callable[[int], None]
) -> None:
    """Stage, verify, commit, move, verify."""
    if not change.write and not change.remove:
        board.clear(mover.STAGE)
        return
    staged = {f"{mover.STAGE}{path}": wanted[path] for path in change.write}
    staged[STAGED_BOOT] = wanted["/boot.py"]
    staged[f"{mover.STAGE}/{mover.GONE}"] = "\n".join(change.remove).encode()
    left = [path for path in board.files(mover.STAGE) if path not in staged]
    for path in left:
        board.remove(path)
    have = board.hashes(sorted(staged))
    missing = {path: data for path, data in staged.items() if have[path] != _sha(data)}
    _check_room(board.identity(), missing)
    for path, data in sorted(missing.items()):
        board.write(path, data, wrote)
    board.write(COMMIT, _mover_source(), lambda _: None)
    _verify(board, {**staged, COMMIT: _mover_source()})
    board.rename(COMMIT, "/boot.py")
    board.move_stage()
    _verify(board, {path: wanted[path] for path in (*change.write, "/boot.py")})


def _mover_source() -> bytes:
    text = Path(mover.__file__).read_text(encoding="utf-8")
    return (text + '\n\nmove()\nexec(open("/boot.py").read())\n').encode()


def _check_room(found: Identity, missing: dict[str, bytes]) -> None:
    need = STAGE_BLOCKS + sum(-(-len(data) // found.block_bytes) for data in missing.values())
    if need > found.free_blocks:
        need_kb, free_kb = (n * found.block_bytes // 1024 for n in (need, found.free_blocks))
        raise BenchError(
            f"the board's flash is full ({need_kb} kB needed, {free_kb} kB free)",
            "let the node upload its journal, then repeat; nothing was changed",
            FULL,
        )


def _verify(board: Board, wanted: dict[str, bytes]) -> None:
    on_board = board.hashes(sorted(wanted))
    for path, data in wanted.items():
        if on_board[path] != _sha(data):
            raise BenchError(
                f"{path} reads back differently",
                "repeat; if it happens again, change the board",
                LOST,
            )


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
