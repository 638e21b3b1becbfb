# SPDX-License-Identifier: MIT
"""A child process that ends with us: found, started, watched, stopped, killed."""

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

READY_S = 90.0  # slowest start seen on a loaded two-core machine: 6 s (influxd)
STOP_S = 10.0  # mosquitto and influxd write their state before they leave
_POLL_S = 0.03
_PR_SET_PDEATHSIG = 1  # prctl(2)
_PORTS = range(20_000, 32_000)  # below those that the kernel hands out by itself
_turns = itertools.count(os.getpid() * 97)  # programs that look side by side look elsewhere
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")

# The kernel sends the death signal when the *thread* that forked ends; this one thread
# forks every child and ends only with the program.
_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kahriz-forker")
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServiceError(Exception):
    """A program could not be started; the message is one line and names the mend."""


def find_program(name: str) -> str | None:
    """Path of a program: beside our Python first, then PATH, then the sbin folders."""
    own = Path(sys.executable).parent / name
    if own.is_file() and os.access(own, os.X_OK):
        return str(own)
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_SBIN))


def free_port() -> int:
    """A port of the loopback that nobody has just now.

    Until it is used nobody gets it by chance: not from the kernel, and not from here once more.
    """
    for turn in itertools.islice(_turns, len(_PORTS)):
        port = _PORTS[turn % len(_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServiceError("no port of the loopback is free: stop a program that holds many")


def claim_port(port: int, what: str) -> int:
    """The wanted port, or a free one for 0; ServiceError when somebody has it."""
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(
                f"port {port} for the {what} cannot be used ({error.strerror}): "
                "stop the program that holds it or choose another port"
            ) from None
    return port


def claim_page(address: str) -> None:
    """Whether the page can be served at HOST:PORT; ServiceError says why not, with the mend."""
    host, _, digits = address.rpartition(":")
    port = int(digits) if digits.isdecimal() else 0
    if not host or not 0 < port < 65536:
        raise ServiceError(f"--page {address!r} is not HOST:PORT, such as 127.0.0.1:8080")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise ServiceError(
                f"--page {address!r}: no such host here ({error.strerror}): take 127.0.0.1:{port}"
            ) from None
        except OSError as error:
            other = port + 1 if port < 65535 else 8080
            raise ServiceError(
                f"port {port} for the page cannot be used ({error.strerror}): stop the program "
                f"that holds it, or choose another, such as --page {host}:{other}"
            ) from None


def make_dir(path: Path) -> Path:
    """The folder, made when missing; ServiceError when it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(
            f"cannot write {path} ({error.strerror}): choose another --data folder"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ServiceError(f"cannot write {path}: choose another --data folder")
    return path


def _ends_with_parent(parent: int) -> Callable[[], None]:
    def in_child() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


class Child:
    """One program in its own process group, with its output in a log file."""

    def __init__(
        self,
        what: str,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.what = what
        self.argv = list(argv)
        self.log = log
        self.env = dict(env or {})
        self.cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._group_ended = False

    @property
    def pid(self) -> int:
        """Process id of the running (or last) child; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it in its own group: Ctrl-C reaches us first, and we stop it in order."""

        def fork() -> subprocess.Popen[bytes]:
            with self.log.open("ab") as out:
                return subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.env},
                    cwd=self.cwd,
                    process_group=0,
                    preexec_fn=_ends_with_parent(os.getpid()),
                )

        try:
            self._process = _forker.submit(fork).result()
            self._group_ended = False
        except OSError as error:
            raise ServiceError(f"cannot start the {self.what}: {error}") from None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float = READY_S) -> None:
        """Wait until it answers; ServiceError with its last log line when it ends before."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise ServiceError(f"the {self.what} ended at once: {self.last_line()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServiceError(
                    f"the {self.what} does not answer after {timeout_s:.0f} s: {self.last_line()}"
                )
            time.sleep(_POLL_S)

    def last_line(self) -> str:
        """Its last word, for an error message."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else f"(nothing in {self.log})"

    def stop(self, timeout_s: float = STOP_S) -> None:
        """SIGTERM, wait, and SIGKILL for what is left of the group."""
        if self._process is None:
            return
        if self.running:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
        self.kill9()

    def kill9(self) -> None:
        """SIGKILL to the whole group, as a power cut would."""
        if self._process is None or self._group_ended:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._group_ended = True  # its number may now be somebody else's
