# SPDX-License-Identifier: MIT
"""A board at the end of a serial cable: the one door to mpremote and pyserial.

Every failure leaves as a BenchError: one line that says what is wrong and what mends it.
"""

import ast
import base64
import contextlib
import errno
import io
import re
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from kahriz_tools import mover
from kahriz_tools.errors import BenchError

PORT, SILENT, WRONG, FULL, LOST = 4, 5, 6, 7, 9  # exit codes, see cli.py
BAUD = 115200  # MicroPython's own console speed
ANSWER_S = 10.0
CHUNK_BYTES = 768  # 1 kB as base64: little heap on the chip, few round trips
BUSY_S = 2.0  # a modem manager looks at every new port for a moment
RESET_PULSE_S = 0.1
PROMPT = b">>> "  # deep sleep ends raw mode: the first words of a chip that was in it are these
BOOT_S = 1.5  # ROM and MicroPython until boot.py, with margin

HELPERS = (
    Path(mover.__file__).read_text(encoding="utf-8")
    + """
import hashlib
from binascii import a2b_base64
def sha(path):
    try:
        file = open(path, "rb")
    except OSError:
        return None
    digest = hashlib.sha256()
    with file:
        while True:
            data = file.read(1024)
            if not data:
                return digest.digest()
            digest.update(data)
"""
)


@dataclass(frozen=True)
class Identity:
    """What answers at the other end."""

    platform: str
    version: tuple[int, int, int]
    mpy: int
    machine: str
    free_blocks: int
    block_bytes: int


class Board:
    """A raw REPL session; use as a context manager, it closes the port."""

    def __init__(self, port: str, answer_s: float = ANSWER_S) -> None:
        self.port = port
        self._answer_s = answer_s
        self._cable = False  # whether it can pull EN
        self._link = _open(port)
        try:
            self._enter()
            self._say(HELPERS)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._link.close()

    def ask(self, code: str, expression: str, answer_s: float = ANSWER_S) -> Any:
        """Run code on the board, then tell the value of an expression."""
        before, self._answer_s = self._answer_s, answer_s
        try:
            return self._ask(expression, code)
        finally:
            self._answer_s = before

    def begin(self, code: str) -> None:
        """Start code whose end cannot be told, such as a deep sleep."""
        with _translated(self.port):
            self._link.exec_raw_no_follow(code)

    def identity(self) -> Identity:
        told = self._ask(
            "(sys.platform, tuple(sys.implementation.version[:3]),"
            " getattr(sys.implementation, '_mpy', 0) & 0xff,"
            " getattr(sys.implementation, '_machine', ''), os.statvfs('/'))",
            before="import sys",
        )
        platform, version, mpy, machine, disk = told
        return Identity(platform, version, mpy, machine, disk[3], disk[0])

    def hashes(self, paths: list[str]) -> dict[str, bytes | None]:
        """sha256 of each file as the board reads it; None where there is none."""
        return {path: self._ask(f"sha({path!r})") for path in paths}

    def files(self, folder: str) -> list[str]:
        found: list[str] = self._ask(f"files({folder!r})")
        return found

    def read(self, path: str) -> bytes | None:
        if self.hashes([path])[path] is None:
            return None
        self._say(f"from binascii import b2a_base64\nf = open({path!r}, 'rb')")
        found = b""
        while chunk := base64.b64decode(self._ask(f"b2a_base64(f.read({CHUNK_BYTES}))")):
            found += chunk
        self._say("f.close()")
        return found

    def write(self, path: str, data: bytes, wrote: Callable[[int], None]) -> None:
        """Write the file in place; `wrote` hears the bytes of each chunk."""
        self._say(f"make_folder({path!r})\nf = open({path!r}, 'wb')")
        for start in range(0, len(data), CHUNK_BYTES):
            chunk = data[start : start + CHUNK_BYTES]
            self._say(f"_ = f.write(a2b_base64({base64.b64encode(chunk)!r}))")
            wrote(len(chunk))
        self._say("f.close()")

    def remove(self, path: str) -> None:
        self._say(f"remove({path!r})")

    def clear(self, folder: str) -> None:
        self._say(f"clear({folder!r})")

    def rename(self, old: str, new: str) -> None:
        self._say(f"os.rename({old!r}, {new!r})")

    def move_stage(self) -> None:
        self._say("move()")

    def restart(self) -> None:
        """Leave raw mode and start the program as after power-on."""
        with _translated(self.port):
            self._link.exit_raw_repl()
            self._link.serial.write(b"\x04")
            heard = self._link.read_until(1, b"soft reboot\r\n", timeout_overall=self._answer_s)
        if not heard.endswith(b"soft reboot\r\n"):
            raise BenchError(
                "all is written, but the board did not restart", "press its EN button once", LOST
            )

    def wake_s(self, nap_ms: int, answer_s: float) -> float:
        """Let the chip sleep so long; the seconds until MicroPython asks for a line, nap included.

        A reset is no start out of deep sleep: it validates the image first (micropython#12252).
        """
        link = self._link
        with _translated(self.port):
            begin = time.monotonic()
            link.exec_raw_no_follow(f"import machine\nmachine.deepsleep({nap_ms})")
            heard = b""
            while PROMPT not in heard:
                if time.monotonic() - begin > answer_s:
                    raise _gone(self.port)
                if self._cable:  # stop boot.py or main.py, as _enter does
                    link.serial.write(b"\x03")
                time.sleep(0.01)
                heard += link.serial.read(link.serial.in_waiting)
            took = time.monotonic() - begin
            link.enter_raw_repl(soft_reset=False, timeout_overall=answer_s)
        self._say(HELPERS)
        return took

    def _enter(self) -> None:
        """Reset the chip where the cable can (it may be in deep sleep), then ask for the REPL."""
        link = self._link
        with _translated(self.port), contextlib.redirect_stdout(io.StringIO()):
            self._cable = _reset(link.serial)
            if self._cable:
                until = time.monotonic() + BOOT_S
                while time.monotonic() < until:  # stop boot.py or main.py as soon as they listen
                    link.serial.write(b"\x03")
                    time.sleep(0.05)
            with contextlib.suppress(TransportError):
                link.enter_raw_repl(timeout_overall=self._answer_s)
                return
            try:
                link.enter_raw_repl(timeout_overall=self._answer_s)
            except TransportError as error:
                raise BenchError(
                    f"nothing answers as MicroPython on {self.port}",
                    "press EN on the board and repeat; a new chip first needs the official "
                    "MicroPython (esptool write-flash), some boards BOOT held while plugging in",
                    SILENT,
                ) from error

    def _say(self, code: str) -> bytes:
        with _translated(self.port):
            out, error = self._link.exec_raw(code, timeout=self._answer_s)
            if error:
                raise TransportExecError(out, error.decode("utf-8", "replace"))
            return bytes(out)

    def _ask(self, expression: str, before: str = "") -> Any:
        said = self._say(f"{before}\nprint(repr({expression}))")
        try:
            return ast.literal_eval(said.decode().strip().splitlines()[-1])
        except (ValueError, SyntaxError, IndexError) as error:
            raise _gone(self.port) from error


def _open(port: str) -> Any:
    """A transport, after the plain open has told the reason for what mpremote keeps to itself."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            serial.serial_for_url(port, exclusive=True).close()
            return SerialTransport(port, baudrate=BAUD, timeout=1)
        except (OSError, ValueError, TransportError) as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise _port_error(port, error) from error
            time.sleep(0.1)


def _is_busy(error: Exception) -> bool:
    number = getattr(error, "errno", None)
    taken = "lock" in str(error) or "failed to access" in str(error)  # after a plain open worked
    return number in (errno.EBUSY, errno.EAGAIN) or taken


def _port_error(port: str, error: Exception) -> BenchError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        here = ", ".join(sorted(found.device for found in list_ports.comports())) or "none"
        return BenchError(
            f"there is no port {port}", f"plug the board in with a data cable; here: {here}", PORT
        )
    if number in (errno.EACCES, errno.EPERM):
        return BenchError(
            f"no permission to open {port}",
            'run `sudo usermod -aG dialout "$USER"` and log in again',
            PORT,
        )
    if _is_busy(error):
        return BenchError(
            f"{port} is busy", f"close the other program; `fuser -v {port}` names it", PORT
        )
    return BenchError(f"{port} does not open ({error})", "is it a serial port?", PORT)


def _reset(line: Any) -> bool:
    """Pull EN low through RTS, as the usual two-transistor circuit allows; False on a pty."""
    try:
        line.dtr = False
        line.rts = True
        time.sleep(RESET_PULSE_S)
        line.rts = False
    except OSError:
        return False
    return True


def _gone(port: str) -> BenchError:
    return BenchError(
        f"the board on {port} went away",
        "plug it in again and repeat the command: it goes on where it stopped",
        LOST,
    )


@contextlib.contextmanager
def _translated(port: str) -> Iterator[None]:
    try:
        yield
    except TransportExecError as error:
        said = error.error_output.strip().splitlines() or ["no reason given"]
        if re.match(r"OSError: (28\b|\[Errno 28\])", said[-1]):  # ENOSPC, nameless on the chip
            raise BenchError(
                "the board's flash is full", "let the node upload its journal, then repeat", FULL
            ) from error
        raise BenchError(f"the board refused ({said[-1]})", "repeat the command", LOST) from error
    except (TransportError, OSError, struct.error, TypeError) as error:
        raise _gone(port) from error
