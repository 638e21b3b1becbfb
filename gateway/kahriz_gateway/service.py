# SPDX-License-Identifier: MIT
"""`kahriz gateway run`: intake and village as two child processes, started again when they die.

A fault of one never stops the other. SIGTERM or Ctrl-C ends both; when this process is killed
the kernel ends them (Linux).
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kahriz_gateway.config import EXIT_CONFIG, EXIT_STATE, Options

_PAUSE_S = (0.3, 10.0)  # first and longest pause before a service is started again
_STEADY_S = 20.0  # who lived so long starts again with the first pause
_REFUSES_S = 60.0  # who refuses as it begins, with a code for it, is misconfigured; a Pi is slow
_STOP_S = 25.0  # the village writes its state and the page ends its requests
_PR_SET_PDEATHSIG = 1  # prctl(2)

log = logging.getLogger("kahriz.gateway")


class Service:
    """One child process and when it may be started again."""

    def __init__(self, name: str, argv: Sequence[str]) -> None:
        self.name = name
        self._argv = list(argv)
        self._pause_s = _PAUSE_S[0]
        self._started_s = 0.0
        self._again_s: float | None = None
        self._starts = 0
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.child = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C reaches us alone, and we end both in order
            preexec_fn=_ends_with(os.getpid()),
        )
        self._starts += 1
        self._started_s = time.monotonic()
        self._again_s = None

    def look(self) -> int | None:
        """Start it again when it is time; its exit code when starting again cannot help."""
        if self.child is None:
            if self._again_s is not None and time.monotonic() >= self._again_s:
                self.start()
            return None
        code = self.child.poll()
        if code is None:
            return None
        self.child = None
        lived_s = time.monotonic() - self._started_s
        if self._starts == 1 and lived_s < _REFUSES_S and EXIT_CONFIG <= code <= EXIT_STATE:
            return code
        if lived_s > _STEADY_S:
            self._pause_s = _PAUSE_S[0]
        log.warning("%s ended (%d): starting again in %.1f s", self.name, code, self._pause_s)
        self._again_s = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _PAUSE_S[1])
        return None

    def stop(self, deadline_s: float) -> None:
        if self.child is None:
            return
        try:
            self.child.wait(max(0.1, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s does not end: killed", self.name)
            self.child.kill()
            self.child.wait()


def services(options: Options) -> list[Service]:
    """Both services with this run's options. Intake starts without the command line's packages."""
    argv = options.argv()
    python = sys.executable
    return [
        Service("intake", [python, "-m", "kahriz_gateway.intake.service", *argv]),
        Service("village", [python, "-m", "kahriz", "gateway", "village", *argv]),
    ]


def run(both: Sequence[Service], stop: threading.Event, end: Path | None = None) -> int:
    """Keep them alive until `stop` or the file `end` appears; the exit code for the shell."""
    code = 0
    try:
        for service in both:
            service.start()
        while not stop.wait(0.1) and not (end is not None and end.exists()):
            refusals = [c for c in (service.look() for service in both) if c is not None]
            if refusals:
                code = refusals[0]
                break
    finally:
        for service in both:
            if service.child is not None:
                service.child.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + _STOP_S
        for service in both:
            service.stop(deadline_s)
    return code


def _ends_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def in_child() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return in_child
