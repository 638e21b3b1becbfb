# SPDX-License-Identifier: MIT
"""The chip's boot loader, by esptool: a program of its own (GPL), run and never imported.

Every failure leaves as a BenchError that says what is wrong and what mends it.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kahriz_tools.board import LOST, PORT, SILENT, WRONG
from kahriz_tools.errors import BenchError

MISSING = 3
BAUD = 460800  # what CH340 and CP2102 both hold on a metre of cable; esptool's own default
LONGEST_S = 300
NOT_A_PROGRESS_BAR = re.compile(r"^(?!Writing at|Reading from).*$", re.MULTILINE)
CAUSES = (  # what esptool says -> what is wrong, what mends it, exit code
    (
        r"No module named esptool",
        "esptool is not installed",
        "run `make setup`, or `pip install esptool`",
        MISSING,
    ),
    (
        r"Permission denied",
        "no permission to open {port}",
        'run `sudo usermod -aG dialout "$USER"` and log in again',
        PORT,
    ),
    (
        r"Errno 2\b|No such file or directory: '/dev|FileNotFoundError|Connection refused",
        "there is no port {port}",
        "plug the board in with a data cable, or name another --port",
        PORT,
    ),
    (
        r"Errno 21\b|Inappropriate ioctl",
        "{port} is no serial port",
        "name the board's --port; `kahriz node doctor` looks for it",
        PORT,
    ),
    (
        r"Errno 16\b|port is busy|Resource temporarily unavailable|exclusively lock",
        "{port} is busy",
        "close the other program; `fuser -v {port}` names it",
        PORT,
    ),
    (
        r"Failed to connect|No serial data received|Invalid head of packet|Wrong boot mode",
        "the chip on {port} does not answer as a boot loader",
        "hold BOOT, press EN, let go of BOOT, repeat; some boards need --by-hand for that",
        SILENT,
    ),
    (
        r"is not supported|This chip is|Unsupported chip|not an? ESP32\b",
        "this is not the chip that the program is for",
        "take an ESP32 (WROOM-32)",
        WRONG,
    ),
)


@dataclass(frozen=True)
class Chip:
    """What the boot loader says of itself."""

    kind: str
    mac: str
    flash_bytes: int


class Esptool:
    """Runs esptool against one port; `by_hand` when no circuit resets the board for us."""

    def __init__(self, port: str, by_hand: bool = False, baud: int = BAUD) -> None:
        self.port = port
        self._before = "no-reset" if by_hand else "default-reset"
        self._baud = baud

    def chip(self) -> Chip:
        """Ask who is there; nothing is written."""
        said = self._run(["flash-id"])
        kind = _find(r"Chip type:\s+(\S+)", said) or _find(r"chip type\.*\s+(\S+)", said)
        mac, size = _find(r"MAC:\s+([0-9a-f:]{17})", said), _find(r"flash size: (\d+)MB", said)
        if kind is None or mac is None:
            raise BenchError(
                "esptool's answer cannot be read", "esptool 5 is needed: `make setup`", MISSING
            )
        return Chip(kind, mac, int(size or 0) << 20)

    def read(self, address: int, size: int, quick: bool = False) -> bytes:
        """Bytes of the flash; small pieces need no flasher stub."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "read"
            lines = [] if quick else ["--no-stub"]
            self._run([*lines, "read-flash", hex(address), hex(size), str(file)])
            return file.read_bytes()

    def erase(self, address: int, size: int) -> None:
        self._run(["erase-region", hex(address), hex(size)])

    def write(self, pieces: Mapping[int, bytes]) -> None:
        """Write pieces at their addresses; esptool compares the chip's own hash of each."""
        with tempfile.TemporaryDirectory() as folder:
            self._run(["write-flash", *_files(Path(folder), pieces)])

    def holds(self, pieces: Mapping[int, bytes]) -> bool:
        """Whether the flash holds exactly this, by the chip's own hash of it."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._run(["verify-flash", *_files(Path(folder), pieces)])
            except _DiffersError:
                return False
        return True

    def start(self) -> None:
        """Leave the boot loader; by hand there is nothing to do but to press EN."""
        self._run(["read-mac"], after="hard-reset")

    def _run(self, command: list[str], after: str = "no-reset") -> str:
        arguments = ["--port", self.port, "--baud", str(self._baud), "--before", self._before]
        arguments += ["--after", after, "--connect-attempts", "3"]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "esptool", *arguments, *command],
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
                env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"},
            )
        except subprocess.TimeoutExpired as error:
            raise self._gone("it took longer than five minutes") from error
        said = f"{done.stdout}\n{done.stderr}"
        if done.returncode == 0:
            return said
        if re.search(r"Verification failed|verify (failed|error)|digest mismatch", said, re.I):
            raise _DiffersError("the flash reads back differently", "repeat", LOST)
        words = NOT_A_PROGRESS_BAR.findall(said)
        for pattern, what, mend, code in CAUSES:
            if any(re.search(pattern, line) for line in words):
                named = {"port": self.port}
                raise BenchError(what.format(**named), mend.format(**named), code)
        last = [line for line in words if line.strip()]
        raise self._gone(last[-1].strip()[:160] if last else "no reason given")

    def _gone(self, why: str) -> BenchError:
        return BenchError(
            f"the board on {self.port} went away ({why})",
            "plug it in again and repeat the command: it goes on where it stopped",
            LOST,
        )


class _DiffersError(BenchError):
    """The flash holds something else."""


def _files(folder: Path, pieces: Mapping[int, bytes]) -> list[str]:
    arguments = []
    for address, data in sorted(pieces.items()):
        file = folder / f"{address:x}"
        file.write_bytes(data)
        arguments += [hex(address), str(file)]
    return arguments


def _find(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None
