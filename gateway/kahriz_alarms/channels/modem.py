# SPDX-License-Identifier: MIT
"""One GSM modem for texts, calls and the inbox: one at a time, with a deadline on each request.

What hangs is killed and started anew, its power is cycled where the plan says how, and it rests;
whoever asks meanwhile hears so at once, so that the next way or the next person is tried.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from kahriz_alarms.channels.modem_program import END_S, Gammu, Program, SilentError
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.personal import Health

REST_S = 20.0  # after a hang: the kernel and the stick need a moment
INIT_S = 25.0  # gammu's own start takes 4 s with a modem that answers
ENOUGH = 3  # failures in a row: gammu is started anew, as after a hang
POWER_EVERY_S = 120.0  # a stick that has just been given its power is left to boot
UNSURE = ("ERR_TIMEOUT", "ERR_UNKNOWN")  # gammu heard nothing, or not what it knows


class Turn(Protocol):
    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...


class Modem:
    """`failures` in a row and `since_ms` say how long it has been broken."""

    def __init__(
        self,
        device: str,
        connection: str = "at115200",
        model: str = "",
        rest_s: float = REST_S,
        power_cycle: Callable[[], None] | None = None,
        program: Program | None = None,
        turn: Turn | None = None,
        beat_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program = program or Gammu(device, connection, model)
        self._turn = turn or threading.Lock()
        self._beat_s = beat_s
        self._rest_s = rest_s
        self._rests_until = 0.0
        self._power_cycle = power_cycle
        self._powered: float | None = None
        self.failures = 0
        self.since_ms: int | None = None
        self.last_good_ms: int | None = None
        self.says = ""

    def ask(self, op: str, deadline_s: float, **args: Any) -> Any:
        """The modem's answer; DeliveryError when it failed, hung or died."""
        end = self._beat_s() + deadline_s
        if not self._turn.acquire(timeout=deadline_s):
            raise DeliveryError("the modem is busy", permanent=False)
        try:
            if self._beat_s() < self._rests_until:
                raise DeliveryError(f"the modem rests: {self.says}", permanent=False)
            answer = self._exchange({"op": op, "args": args}, end)
        finally:
            self._turn.release()
        self.failures, self.since_ms, self.says = 0, None, ""
        self.last_good_ms = _now_ms()
        return answer

    def health(self) -> Health:
        if self.since_ms is None:
            return Health(True, "", self.last_good_ms)
        text = f"{self.says}; {self.failures} failures: check the stick, its SIM and its aerial"
        return Health(False, text, self.since_ms)

    def close(self, patience_s: float = END_S) -> None:
        self._program.end(patience_s)

    def _exchange(self, request: dict[str, Any], end: float) -> Any:
        try:
            reply = self._program.exchange(request, max(0.0, end - self._beat_s()))
        except SilentError as silent:
            self._failed(str(silent))
            self._start_anew()
            raise DeliveryError(f"modem: {silent}", permanent=False, unsure=True) from silent
        if "error" not in reply:
            return reply["ok"]
        said = str(reply["error"])
        self._failed(said)
        if self.failures >= ENOUGH and self.failures % ENOUGH == 0:
            self._start_anew()
        unsure = any(name in said for name in UNSURE)
        raise DeliveryError(f"modem: {said}", bool(reply.get("permanent")), unsure)

    def _start_anew(self) -> None:
        self.close(patience_s=0.0)
        if self._power_cycle is not None:
            now = self._beat_s()
            if self._powered is None or now - self._powered >= POWER_EVERY_S:
                self._powered = now
                self._power_cycle()
        self._rests_until = self._beat_s() + self._rest_s

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.says = why
        if self.since_ms is None:
            self.since_ms = _now_ms()


def _now_ms() -> int:
    return round(time.time() * 1000)
