# SPDX-License-Identifier: MIT
"""A board on a pseudo-terminal: real MicroPython, real littlefs, mpremote's own transport.

The unix port leaves on Ctrl-D where the chip restarts, so a thread stands between the two
terminals: when the child ends it says "MPY: soft reboot" and starts the next one, in raw mode
if the last one was. Unplugging is `cut_after(writes)`: the child dies at that block write.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

CHIP = Path(__file__).with_name("chip.py")
OPTIONS = ("-X", "heapsize=512k", "-i")
BLOCKS = 96  # 384 kB
BLOCK_BYTES = 4096
HEAR_S = 120  # only ends what hangs
Kind = tuple[str, tuple[int, int, int], int]  # platform, MicroPython version, .mpy version
ESP32: Kind = ("esp32", (1, 29, 0), 6)
POWER_CUT = -signal.SIGKILL  # how a child ends whose power went


def micropython() -> str:
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    assert found, "no micropython: run `make setup`"
    return found


class FakeBoard:
    """Use as a context manager; `port` is what a technician would type."""

    def __init__(self, flash: Path, blocks: int = BLOCKS, chip: Kind = ESP32) -> None:
        if not flash.exists():
            flash.write_bytes(b"\xff" * BLOCK_BYTES * blocks)
        self.flash = flash
        self.blocks = blocks
        self.chip = json.dumps(chip)
        self.said = b""
        self.dead = False
        self._raw = False
        self._stop = threading.Event()
        self._bell, self._ring = os.pipe()  # else the thread would look at `_stop` now and then
        self._outer, self._port_fd = os.openpty()
        tty.setraw(self._port_fd)
        self.port = os.ttyname(self._port_fd)
        self._child: subprocess.Popen[bytes] | None = None
        self._inner = -1
        self._thread = threading.Thread(target=self._bridge, name=f"board {self.port}")

    def __enter__(self) -> "FakeBoard":
        self._start("run")
        self._thread.start()
        self._wait(lambda: b">>> " in self.said or self.dead)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        os.write(self._ring, b"!")
        self._thread.join()
        os.close(self._bell)
        os.close(self._ring)
        if not self.dead:
            self._end_child()
            os.close(self._outer)
        os.close(self._port_fd)

    def hear(self, word: str) -> str:
        """The first whole line that begins with the word, since power-on."""

        def line() -> str | None:
            lines = self.said.decode("utf-8", "replace").splitlines(keepends=True)
            return next((one for one in lines if one.startswith(word) and one[-1] == "\n"), None)

        self._wait(lambda: line() is not None)
        return (line() or "").strip()

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + HEAR_S
        while not until():
            assert time.monotonic() < end, f"waited in vain; the board said {self.said!r}"
            time.sleep(0.002)

    def cut_after(self, writes: int | None) -> None:
        """From the next start on, the power goes after so many block writes (None: never)."""
        file = Path(f"{self.flash}.cut")
        if writes is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(str(writes))

    def note_writes(self) -> None:
        """From the next start on, every block write is noted."""
        Path(f"{self.flash}.log").touch()

    def writes(self) -> list[tuple[int, bytes]]:
        """What was noted: place and bytes, in their order."""
        lines = Path(f"{self.flash}.log").read_text().splitlines()
        return [(at, bytes.fromhex(data)) for at, data in map(json.loads, lines)]

    def _start(self, mode: str) -> None:
        self._inner, child_fd = os.openpty()
        tty.setraw(child_fd)
        self._child = subprocess.Popen(
            [
                micropython(),
                *OPTIONS,
                str(CHIP),
                str(self.flash),
                str(self.blocks),
                self.chip,
                mode,
            ],
            stdin=child_fd,
            stdout=child_fd,
            stderr=child_fd,
            start_new_session=True,
        )
        os.close(child_fd)

    def _end_child(self) -> int:
        assert self._child is not None
        if self._child.poll() is None and self._stop.is_set():
            self._child.kill()
        code = self._child.wait()
        os.close(self._inner)
        return code

    def _bridge(self) -> None:
        while not self._stop.is_set() and not self.dead:
            ready, _, _ = select.select([self._outer, self._inner, self._bell], [], [])
            if self._outer in ready:
                data = os.read(self._outer, 4096)
                if b"\x01" in data:
                    self._raw = True
                if b"\x02" in data:
                    self._raw = False
                os.write(self._inner, data)
            if self._inner in ready:
                try:
                    data = os.read(self._inner, 4096)
                except OSError:  # EIO: the child is gone
                    data = b""
                if data:
                    self._say(data)
                elif self._end_child() == POWER_CUT:
                    self.dead = True
                    os.close(self._outer)  # the technician's side sees the cable go
                else:
                    self._reboot()

    def _reboot(self) -> None:
        self._say(b"MPY: soft reboot\r\n")
        self._start("raw" if self._raw else "run")
        if self._raw:
            os.write(self._inner, b"\x01")

    def _say(self, data: bytes) -> None:
        self.said += data
        os.write(self._outer, data)
