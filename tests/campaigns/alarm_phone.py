# SPDX-License-Identifier: MIT
"""What gammu does with a modem, on a time that a test turns: AT dialogues with the simulated stick.

The parts of a text are encoded by the real gammu; how long it waits for an answer that never
comes is drawn, because it differs from command to command.
"""

from __future__ import annotations

import random
from typing import Any

import gammu

from kahriz_alarms.channels.modem_program import SilentError
from kahriz_sim.modem import CTRL_Z, ESCAPE
from kahriz_sim.modem import Modem as Stick

from .alarm_time import Time

INIT = ("AT", "ATE1", "AT+CMEE=1", "AT+CSCS?", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CPIN?")
INIT_S = 4.0
PART_S = (3.0, 10.0)  # a part on a weak network
WAITS_S = (8.0, 60.0)  # before gammu itself gives an answer up
SERVICE = "+994502000130"


class RefusedError(Exception):
    """The modem, or gammu, said no."""


class Phone:
    """`sent_at` says when the stick took each part."""

    def __init__(self, stick: Stick, time: Time, seed: int) -> None:
        self.stick = stick
        self.sent_at: list[float] = []
        self._time = time
        self._random = random.Random(seed)
        self._ready = False
        self._end_s = 0.0

    def exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        self._end_s = self._time.s() + seconds
        try:
            if not self._ready:
                self._begin()
            do = getattr(self, "_" + request["op"])
            return {"ok": do(**request["args"])}
        except RefusedError as error:
            return {"error": str(error)}

    def end(self, patience_s: float) -> None:
        self._ready = False

    def _begin(self) -> None:
        self._pass(INIT_S)
        self.stick.feed(ESCAPE + b"\r")
        for line in INIT:
            self._say(line)
        self._ready = True

    def _text(self, to: str, text: str, ascii: bool) -> int:
        entry = {"ID": "ConcatenatedTextLong", "Buffer": text}
        parts = gammu.EncodeSMS({"Class": -1, "Unicode": not ascii, "Entries": [entry]})
        for part in parts:
            part["SMSC"] = {"Location": 0, "Number": SERVICE}
            part["Number"] = to
            pdu = gammu.EncodePDU(part, "Submit").hex().upper()
            self._say(f"AT+CMGS={len(pdu) // 2 - 1}", "> ")
            self._pass(self._random.uniform(*PART_S))
            before = len(self.stick.sent)
            try:
                self._feed(pdu.encode() + CTRL_Z, "OK")
            finally:
                self.sent_at += [self._time.s()] * (len(self.stick.sent) - before)
        return len(parts)

    def _ring(self, to: str, seconds: float) -> None:
        self._say(f"ATD{to};")
        self._pass(seconds)
        self._say("ATH")

    def _inbox(self) -> list[dict[str, Any]]:
        self._say("AT+CMGL=4")
        return []

    def _say(self, line: str, ends: str = "OK") -> None:
        self._feed(line.encode() + b"\r", ends)

    def _feed(self, data: bytes, ends: str) -> None:
        answers = self.stick.feed(data)
        self._pass(0.05 + sum(seconds for seconds, _ in answers))
        said = b"".join(reply for _, reply in answers).decode("latin-1")
        if said.rstrip().endswith(ends.strip()):
            return
        if "ERROR" in said:
            raise RefusedError(said.strip().splitlines()[-1])
        self._pass(self._random.uniform(*WAITS_S))
        raise RefusedError("No response in specified timeout. (ERR_TIMEOUT)")

    def _pass(self, seconds: float) -> None:
        """Time goes by; whoever has started us kills us at the deadline."""
        left = self._end_s - self._time.s()
        if seconds > left:
            self._time.spend(max(0.0, left))
            raise SilentError("no answer in time")
        self._time.spend(seconds)
