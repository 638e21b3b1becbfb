# SPDX-License-Identifier: MIT
"""Steps of commissioning at the board: find, look, save its journal, write, boot."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from kahriz_tools import filesystem, flash, micropython, node_config, pulled
from kahriz_tools.board import LOST, SILENT, WRONG, Board
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_tools.esptool import Chip, Esptool
from kahriz_tools.ports import find_port
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.steps import Step

LOOK_S = 5.0  # what answers as MicroPython at all does so at once
KIND = re.compile(r"ESP32(-D0|-U4|-PICO|$)")  # not -S2, -S3, -C3: another processor
BLANK = b"\xff\xff\xff\xff"
KEEPS_READINGS = 8


class AtBoard:
    """The board on the cable."""

    def __init__(self, case: Case, laptop: Laptop, hand: Callable[[str], None]) -> None:
        self.case = case
        self.laptop = laptop
        self._hand = hand
        self.chip: Chip
        self.tool: Esptool
        self.port = ""
        self.on_board: node_config.Json | None = None
        self.readings: dict[str, bytes] | None = None  # of a journal that would be overwritten
        self._board: Board | None = None
        self._whole: bool | None = None  # MicroPython is there and answers
        self._wrote = False

    def steps(self) -> list[Step]:
        s = Step
        again = "repeat; if it happens again, change the board"
        return [
            s("board", "plug it in with a data cable", self.find),
            s("chip", "take an ESP32 with 4 MB", self.look),
            s("certificate", "look into the authority", self.laptop.certificate, self.certify),
            s("config", "say --wifi-ssid, --broker-host", self.complete),
            s("image", "leave drivers out", self.laptop.make_image),
            s("journal", "let the node upload", self.journal, self.pull),
            s("flash", again, self.flashed, self.write, waits=True),
            s("verify", again, self.verified, waits=True),
            s("boot", "press EN once, repeat", self.boots, waits=True),
            s("files", again, self.files_hold, self.put_files, waits=True),
        ]

    def find(self) -> str:
        wish = self.case.wish
        self.port = wish.port or find_port(wish.port_filters)
        self._reset_by_hand("hold BOOT, press EN, let go of BOOT")
        self.tool = Esptool(self.port, wish.by_hand)
        self.chip = self.tool.chip()
        return f"{self.port}: {self.chip.kind}, MAC {self.chip.mac}"

    def look(self) -> str:
        """The right chip, and the board that this node was before."""
        chip, need = self.chip, self.laptop.firmware.flash_bytes
        if not KIND.match(chip.kind):
            raise BenchError(f"this is an {chip.kind}", "take an ESP32 (WROOM-32)", WRONG)
        if chip.flash_bytes < need:
            raise BenchError(
                f"its flash holds {chip.flash_bytes >> 20} MB", f"{need >> 20} MB needed", WRONG
            )
        node, mac = self.case.wish.node, self.case.state.get("mac")
        other = self.case.others().get(chip.mac, node)
        if other != node:
            raise BenchError(
                f"this board is {other} of this site",
                f"take a fresh board, or say --node {other}; a spare that was {other} becomes "
                f"{node} by `kahriz node replace`",
                WRONG,
            )
        if self.case.wish.other_board:
            self._take_over(mac)
        elif mac not in (None, chip.mac):
            raise BenchError(
                f"{node} is another board ({mac})",
                f"`kahriz node replace --node {node}` gives its place to this one",
                WRONG,
            )
        self._look_inside()
        return (
            f"{chip.flash_bytes >> 20} MB of flash, {'in use' if self._whole else 'to be filled'}"
        )

    def _take_over(self, mac: str | None) -> None:
        """This board becomes the node; which one it was, and by which certificate, is kept."""
        wish, replaces = self.case.wish, self.case.state.get("replaces", {})
        if replaces.get("by") == self.chip.mac:
            return
        if mac is None or mac == self.chip.mac:
            raise BenchError(
                f"this is the board that {wish.node} was" if mac else f"{wish.node} had no board",
                "plug in the spare" if mac else f"`kahriz node provision --node {wish.node}`",
                WRONG,
            )
        serial = None if wish.plain else wish.authority.standing(wish.node)
        taken = {"mac": mac, "serial": serial, "by": self.chip.mac}
        self.case.keep(replaces=taken, proof={}, unfinished=False)

    def _look_inside(self) -> None:
        """Whether MicroPython is right and answers; then its configuration is read."""
        if self.tool.read(micropython.BEGIN, 4) == BLANK:
            self._whole = False
            return
        begun = bool(self.case.state.get("unfinished"))  # but perhaps not one byte was written
        self._whole = not begun and self.tool.holds(self.laptop.firmware.all)
        self._reset_by_hand("press EN")
        try:
            board = self.open(LOOK_S)
        except BenchError as error:
            if error.code != SILENT:
                raise
            self._whole = False
            self._take(self._from_flash())
            return
        self._configured(board.read(node_config.PATH))
        if not self._whole:
            self.readings = self._from_files(board)
            self._close()
            self._reset_by_hand("hold BOOT, press EN, let go of BOOT")

    def saved(self) -> str | None:
        """For a board that goes out of service: its readings are in our folder."""
        if self.readings is None:
            return None
        kept = self._kept()
        if not self.readings:
            return "it keeps no readings"
        return None if kept is None else f"{len(self.readings)} files in {kept}"

    def save(self) -> None:
        """By its MicroPython, or by its boot loader when that does not answer."""
        self._reset_by_hand("press EN")
        try:
            board = self.open(LOOK_S)
        except BenchError as error:
            if error.code != SILENT:
                raise
            self._reset_by_hand("hold BOOT, press EN, let go of BOOT")
            self._take(self._from_flash())
        else:
            self._configured(board.read(node_config.PATH))
            self.readings = self._from_files(board)
        if self.readings:
            self.pull()

    def _configured(self, data: bytes | None) -> None:
        with contextlib.suppress(BenchError):  # a broken one is replaced
            self.on_board = None if data is None else node_config.parse(data, "on the board")

    def _from_files(self, board: Board) -> dict[str, bytes]:
        paths = [path for path in board.files("/") if filesystem.is_journal(path)]
        return {path: board.read(path) or b"" for path in paths}

    def _take(self, files: dict[str, bytes]) -> None:
        self._configured(files.get(node_config.PATH))
        self.readings = filesystem.journals(files)

    def _from_flash(self) -> dict[str, bytes]:
        """The files of a board that does not answer, through its boot loader."""
        where = self.laptop.firmware.files
        if b"littlefs" not in self.tool.read(where.offset, 64):
            return {}
        try:
            data = self.tool.read(where.offset, where.size, quick=True)
        except BenchError as error:
            if error.code != LOST:
                raise
            data = self.tool.read(
                where.offset, where.size
            )  # without the stub: minutes, but it goes
        return filesystem.read(data) or {}

    def certify(self) -> None:
        wish = self.case.wish
        wish.authority.issue(wish.node)

    def complete(self) -> str:
        return self.laptop.complete(self.on_board)

    def journal(self) -> str | None:
        """Readings are pulled before they would be overwritten, and that needs a word more."""
        if self._whole:
            return "stays: only files that differ are written"
        if not self.readings:
            return "there is none"
        kept = self._kept()
        if kept is None:
            return None
        if not self.case.wish.discard:
            raise BenchError(
                f"the board keeps {len(self.readings)} files of readings, which would be "
                f"overwritten; they were pulled to {kept}",
                "let the node upload to its gateway first; if it has, or cannot, say --discard",
                KEEPS_READINGS,
            )
        return f"pulled to {kept}; discarded on the board"

    def _kept(self) -> Path | None:
        owner = pulled.owner_of(self.on_board)
        return pulled.kept(self.case, self.chip.mac, self.readings or {}, owner)

    def pull(self) -> None:
        owner = pulled.owner_of(self.on_board)
        pulled.keep(self.case, self.chip.mac, self.readings or {}, owner)

    def flashed(self) -> str | None:
        if self._wrote:
            return f"{len(self.laptop.firmware.data) + len(self.laptop.image)} bytes written"
        return "MicroPython is there" if self._whole else None

    def write(self) -> None:
        """The first sector is erased first and written last: never half a node that starts."""
        self._close()
        firmware, image = self.laptop.firmware, self.laptop.image
        self.case.keep(mac=self.chip.mac, unfinished=True)
        self.tool.erase(micropython.BEGIN, micropython.SECTOR)
        self.tool.write({**firmware.rest, firmware.files.offset: image})
        self.tool.write(firmware.first)
        self._wrote = True

    def verified(self) -> str | None:
        if not self._wrote:
            return "as the chip's own hash says"
        firmware = self.laptop.firmware
        if not self.tool.holds({**firmware.all, firmware.files.offset: self.laptop.image}):
            raise BenchError(
                "the flash does not hold what was written",
                "repeat with another cable; if it happens again, change the board",
                LOST,
            )
        self.case.keep(unfinished=False)
        self._reset_by_hand("press EN")
        return "by the chip's own hash of every byte"

    def boots(self) -> str:
        found = self.open().identity()
        flash.check_board(found, self.laptop.files)
        return f"MicroPython {'.'.join(map(str, found.version))}, {found.machine}"

    def files_hold(self) -> str | None:
        change = flash.plan(self.open(), self.laptop.files)
        if change.write or change.remove:
            return None
        self.case.keep(mac=self.chip.mac)
        return f"{change.unchanged} files right"

    def put_files(self) -> None:
        board, files = self.open(), self.laptop.files
        body = node_config.parse(files[node_config.PATH], "ours")
        flash.check_journal(board, body, self.on_board)
        flash.perform(board, files, flash.plan(board, files), lambda _: None)

    def open(self, answer_s: float | None = None) -> Board:
        if self._board is None:
            self._board = Board(self.port) if answer_s is None else Board(self.port, answer_s)
        return self._board

    def _close(self) -> None:
        if self._board is not None:
            self._board.close()
            self._board = None

    def end(self) -> None:
        """Leave the board running its program, if it has a whole one."""
        if self._board is not None:
            with contextlib.suppress(BenchError):
                self._board.restart()
            self._close()

    def _reset_by_hand(self, what: str) -> None:
        if self.case.wish.by_hand:
            self._hand(what)
