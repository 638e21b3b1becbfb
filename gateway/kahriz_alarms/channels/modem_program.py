# SPDX-License-Identifier: MIT
"""The program that talks to the modem, seen from outside: one question, one answer, a deadline."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import Any, Protocol

LINE_MOST_BYTES = 1_000_000  # a SIM holds some hundred texts
END_S = 3.0  # a program that listens lets go of the modem by itself


class SilentError(Exception):
    """No answer: what was asked may have been done all the same."""


def answer_of(line: bytes) -> dict[str, Any]:
    """The answer in a line; SilentError when a library wrote into it, or it is none of ours."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SilentError("its program said what is no answer") from error
    if not isinstance(found, dict) or not {"ok", "error"} & found.keys():
        raise SilentError("its program said what is no answer")
    return found


class Program(Protocol):
    def exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]: ...
    def end(self, patience_s: float) -> None: ...


class Gammu:
    """`modem_worker` as a process: started when it is needed, killed when it hangs."""

    def __init__(self, device: str, connection: str, model: str = "") -> None:
        module = "kahriz_alarms.channels.modem_worker"
        self._command = [sys.executable, "-m", module, device, connection, model]
        self._process: subprocess.Popen[bytes] | None = None

    def exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer; SilentError when there is none in time or the program ends over it."""
        until = time.monotonic() + seconds
        if self._process is None or self._process.poll() is not None:
            self.end(0.0)
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise SilentError("its program ended") from error
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([stdout], [], [], max(0.0, until - time.monotonic()))[0]:
                raise SilentError("no answer in time")
            piece = os.read(stdout.fileno(), LINE_MOST_BYTES)
            if not piece:
                raise SilentError("its program ended")
            line += piece
            if len(line) > LINE_MOST_BYTES:
                raise SilentError("its program said too much")
        return answer_of(line)

    def end(self, patience_s: float = END_S) -> None:
        """A program that listens ends by itself; one that hangs is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
