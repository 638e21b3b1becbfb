# SPDX-License-Identifier: MIT
"""A whole board on a pseudo-terminal: the mock boot loader below, real MicroPython above.

esptool talks to PyPI's esp32-mock-bootloader over one flash of 4 MB; a reset starts MicroPython
from what that flash holds: nothing without the boot loader's first byte, else the littlefs of its
vfs partition. There is no EN wire on a pseudo-terminal: a SYNC packet stands for "BOOT held, EN
pressed", Ctrl-C on a chip that cannot hear it for "EN pressed".
"""

import os
import select
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from esp32_mock_bootloader.server import BootloaderConnection, FlashImage, handle_client

from tests.board.conftest import MiniWorld
from tests.tools.fake_board import FakeBoard, micropython

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "firmware" / "kahriz_sim" / "board"
CHIP = Path(__file__).with_name("bench_chip.py")
HEAP = "1500k"
SYNC = b"\xc0\x00\x08"
VFS, VFS_BYTES = 0x200000, 0x200000
FIRST, IMAGE_MAGIC = 0x1000, 0xE9
BLOCK_BYTES = 4096
PROMPTS = (b">>> ", b"raw REPL")
HARD_RESET = 3  # how bench_chip.py ends when its program resets the chip, or has it sleep
ROM_SAYS = b"rst:0x5 (DEEPSLEEP_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


class Flash(FlashImage):  # type: ignore[misc]
    """The chip's flash; after `cut` writes the power goes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0  # blocks and erased regions
        self.cut: int | None = None
        self.power_goes = threading.Event()

    def _write(self) -> bool:
        if self.power_goes.is_set():
            return False
        self.writes += 1
        if self.cut is not None and self.writes > self.cut:
            self.power_goes.set()
            return False
        return True

    def write_defl_block(self, payload: bytes) -> None:
        if self._write():
            super().write_defl_block(payload)

    def write_plain_block(self, payload: bytes) -> None:
        if self._write():
            super().write_plain_block(payload)

    def erase_region(self, offset: int, size: int) -> None:
        if self._write():
            super().erase_region(offset, size)

    @property
    def starts(self) -> bool:
        """Whether the ROM finds a boot loader."""
        return bool(self.data[FIRST] == IMAGE_MAGIC)


class BenchBoard(FakeBoard):
    """Use as a context manager; `flash_chip` outlives it, as a board outlives its cable."""

    def __init__(self, folder: Path, flash: Flash | None = None, **senses: Any) -> None:
        self.flash_chip = flash or Flash()
        self.flash_chip.power_goes.clear()
        self.world = MiniWorld(**senses)
        self._rom: socket.socket | None = None
        self._rom_end = threading.Event()
        self._synced = False
        self._in_frame = False
        self._at_repl = False
        self.resets = 0
        folder.mkdir(exist_ok=True)
        super().__init__(folder / "vfs.lfs")

    def __enter__(self) -> "BenchBoard":
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stop.set()
        os.write(self._ring, b"!")
        self._thread.join()
        self._leave_rom()
        self._leave_program()
        for fd in (self._bell, self._ring, self._port_fd):
            os.close(fd)
        if not self.dead:
            os.close(self._outer)
        self.world.close()

    def _start(self, mode: str) -> None:
        """MicroPython from the flash; nothing where no boot loader is found."""
        if not self.flash_chip.starts:
            return
        self.flash.write_bytes(self.flash_chip.data[VFS : VFS + VFS_BYTES])
        self._at_repl = False
        self._said_before = len(self.said)
        self.resets += 1
        self._inner, child_fd = os.openpty()
        import tty

        tty.setraw(child_fd)
        blocks = str(VFS_BYTES // BLOCK_BYTES)
        world = f"127.0.0.1:{self.world.port}"
        self._child = subprocess.Popen(
            [micropython(), "-X", f"heapsize={HEAP}", "-i", str(CHIP), str(BOARD),
             str(self.flash), blocks, world, mode],
            stdin=child_fd, stdout=child_fd, stderr=child_fd, start_new_session=True,
        )  # fmt: skip
        os.close(child_fd)

    def _leave_program(self) -> None:
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        os.close(self._inner)
        self._child = None
        self.flash_chip.data[VFS : VFS + VFS_BYTES] = self.flash.read_bytes()

    def _leave_rom(self) -> None:
        if self._rom is not None:
            self._rom_end.set()
            self._rom.close()
            self._rom = None
            self._rom_thread.join()

    def _enter_rom(self) -> None:
        self._leave_rom()
        self._leave_program()
        self._rom, chip = socket.socketpair()
        self._rom_end = threading.Event()
        line, end = BootloaderConnection(sock=chip), self._rom_end

        def rom() -> None:
            handle_client(line, end, "esp32", exit_on_disconnect=True, flash=self.flash_chip)
            chip.close()

        self._rom_thread = threading.Thread(target=rom)
        self._rom_thread.start()

    def _bridge(self) -> None:
        while not self._stop.is_set() and not self.dead:
            inside = [self._rom] if self._rom else []
            child = [self._inner] if self._child else []
            ready, _, _ = select.select([self._outer, self._bell, *inside, *child], [], [], 0.5)
            if self.flash_chip.power_goes.is_set():
                self.dead = True
                os.close(self._outer)  # the technician's side sees the cable go
                return
            if self._rom in ready and self._rom is not None:
                data = self._rom.recv(4096)
                if data:
                    os.write(self._outer, data)
                else:
                    self._leave_rom()
            if self._child is not None and self._inner in ready:
                self._from_child()
            if self._outer in ready:
                self._from_cable(os.read(self._outer, 4096))

    def _from_child(self) -> None:
        try:
            data = os.read(self._inner, 4096)
        except OSError:  # EIO: the child is gone
            data = b""
        if data:
            self._say(data)
            said = self.said[self._said_before :]
            self._at_repl = any(mark in said for mark in PROMPTS) and b"sleeps" not in said
            return
        assert self._child is not None
        hard = self._child.wait() == HARD_RESET
        self._leave_program()
        if hard:
            self._reset()
        else:
            self._reboot()

    def _reset(self) -> None:
        """Unlike a soft reboot, this ends raw mode; main.py is stopped as by Ctrl-C."""
        self._raw = False
        self._say(ROM_SAYS)
        self._start("raw")

    def _from_cable(self, data: bytes) -> None:
        if self._in_frame or data[:1] == SYNC[:1]:
            self._to_rom(data)
            return
        if b"\x03" in data and (self._child is None or not self._at_repl):
            self._leave_rom()
            self._leave_program()
            self._raw = self._synced = False
            self._start("raw")
        if b"\x01" in data:
            self._raw = True
        if b"\x02" in data:
            self._raw = False
        if self._child is not None:
            os.write(self._inner, data)

    def _to_rom(self, data: bytes) -> None:
        """SLIP frames; the first SYNC after anything else begins a new session."""
        if not self._in_frame:
            sync = data.startswith(SYNC)
            if sync and not self._synced:
                self._enter_rom()
            self._synced = sync
        self._in_frame ^= bool(data.count(b"\xc0") % 2)
        if self._rom is not None:
            try:
                self._rom.sendall(data)
            except BrokenPipeError:  # the boot loader gave up on what it was sent before
                self._leave_rom()
