# SPDX-License-Identifier: MIT
"""One GSM modem for texts, calls and the inbox: a worker process with a deadline on each request.

What hangs is killed and started anew; after a failure the modem rests, and whoever asks meanwhile
hears so at once, so that the next way or the next person is tried.
"""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import threading
import time
from typing import Any

from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.personal import Health

REST_S = 20.0  # after a hang: the kernel and the stick need a moment
INIT_S = 25.0  # gammu's own start takes 4 s with a modem that answers


class Modem:
    """`failures` in a row and `since_ms` say how long it has been broken."""

    def __init__(
        self, device: str, connection: str = "at115200", model: str = "", rest_s: float = REST_S
    ) -> None:
        module = "kahriz_alarms.channels.modem_worker"
        self._command = [sys.executable, "-m", module, device, connection, model]
        self._worker: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._rest_s = rest_s
        self._rests_until = 0.0
        self.failures = 0
        self.since_ms: int | None = None
        self.last_good_ms: int | None = None
        self.says = ""

    def ask(self, op: str, deadline_s: float, **args: Any) -> Any:
        """The worker's answer; DeliveryError when it failed, hung or died."""
        end = time.monotonic() + deadline_s
        if not self._turn.acquire(timeout=deadline_s):
            raise DeliveryError("the modem is busy", permanent=False)
        try:
            if time.monotonic() < self._rests_until:
                raise DeliveryError(f"the modem rests: {self.says}", permanent=False)
            reply = self._exchange({"op": op, "args": args}, end)
        finally:
            self._turn.release()
        if "error" in reply:
            self._failed(str(reply["error"]))
            raise DeliveryError(f"modem: {reply['error']}", bool(reply.get("permanent")))
        self.failures, self.since_ms, self.says = 0, None, ""
        self.last_good_ms = _now_ms()
        return reply["ok"]

    def health(self) -> Health:
        if self.since_ms is None:
            return Health(True, "", self.last_good_ms)
        text = f"{self.says}; {self.failures} failures: check the stick, its SIM and its aerial"
        return Health(False, text, self.since_ms)

    def close(self, patience_s: float = 3.0) -> None:
        """A worker that listens lets go of the modem by itself; one that hangs is killed."""
        worker, self._worker = self._worker, None
        if worker is not None:
            if worker.stdin is not None:
                with contextlib.suppress(OSError):
                    worker.stdin.close()
            try:
                worker.wait(patience_s)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    pipe.close()

    def _exchange(self, request: dict[str, Any], end: float) -> dict[str, Any]:
        if self._worker is None or self._worker.poll() is not None:
            self.close()
            self._worker = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        stdin, stdout = self._worker.stdin, self._worker.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError:
            return self._broken("its program ended")
        if not select.select([stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            return self._broken("no answer in time")
        line = stdout.readline()
        return json.loads(line) if line else self._broken("its program ended")

    def _broken(self, why: str) -> dict[str, Any]:
        self.close(patience_s=0.0)
        self._rests_until = time.monotonic() + self._rest_s
        return {"error": why}

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.says = why
        if self.since_ms is None:
            self.since_ms = _now_ms()


def _now_ms() -> int:
    return round(time.time() * 1000)
