# SPDX-License-Identifier: MIT
"""The one door to gammu, in a process of its own: gammu may hang or crash, and only this goes.

One JSON request a line in, one answer a line out. Started by `modem.py`:

    python -m kahriz_alarms.channels.modem_worker /dev/ttyUSB0 at115200
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from typing import Any

import gammu

HANG_UP = (b"ATH\r", b"AT+CHUP\r")
HEARD_S = 1.0
ORPHAN_S = 20.0
NO_SIM = ("ERR_NOSIM", "ERR_SECURITYERROR")  # not there, or it wants its PIN
PERMANENT = ("ERR_INVALIDDATA", "ERR_NOTSUPPORTED", "ERR_BUG")


class Worker:
    """`model` is dummy for gammu's own phone in a folder, empty for a real modem."""

    def __init__(self, device: str, connection: str, model: str = "") -> None:
        self._config = {"Device": device, "Connection": connection, "Model": model}
        self._machine: Any = None
        self._said: list[str] = []

    def answer(self, request: dict[str, Any]) -> Any:
        do = getattr(self, "do_" + request["op"])
        return do(**request.get("args", {}))

    def close(self) -> None:
        if self._machine is not None:
            self._machine.Terminate()

    def do_text(self, to: str, text: str, ascii: bool) -> int:
        """Send all parts; how many they were."""
        entry = {"ID": "ConcatenatedTextLong", "Buffer": text}
        parts = gammu.EncodeSMS({"Class": -1, "Unicode": not ascii, "Entries": [entry]})
        for part in parts:
            part["SMSC"] = {"Location": 1}
            part["Number"] = to
            self._phone().SendSMS(part)
        return len(parts)

    def do_ring(self, to: str, seconds: float) -> None:
        self._phone().DialVoice(to)
        time.sleep(seconds)
        self._hang_up()

    def do_inbox(self) -> list[dict[str, Any]]:
        """What has come in. It stays on the SIM until `forget`: stored first, deleted then."""
        found: list[dict[str, Any]] = []
        where: dict[str, Any] = {"Start": True}
        while True:
            try:
                rows = self._phone().GetNextSMS(Folder=0, **where)
            except gammu.ERR_EMPTY:
                return found
            for row in rows:
                if row["Type"] == "Deliver":
                    at = row["DateTime"]
                    moment = None if at is None else round(at.timestamp() * 1000)
                    kept = {"slot": row["Location"], "from": row["Number"], "text": row["Text"]}
                    found.append({**kept, "at": moment})
            where = {"Location": rows[0]["Location"]}

    def do_forget(self, slot: int) -> None:
        self._phone().DeleteSMS(Folder=0, Location=slot)

    def do_ussd(self, code: str, wait_s: float) -> str:
        """Ask the operator, such as for the credit left."""
        phone = self._phone()
        self._said.clear()
        phone.SetIncomingCallback(self._heard)
        phone.SetIncomingUSSD(True)
        phone.DialService(code)
        end = time.monotonic() + wait_s
        while not self._said and time.monotonic() < end:
            phone.ReadDevice()
            time.sleep(0.1)
        if not self._said:
            raise gammu.ERR_TIMEOUT({"Text": "the operator did not answer", "Where": "ussd"})
        return self._said[0]

    def do_network(self) -> dict[str, Any]:
        """Whether the SIM is there and the operator lets us in, and how well it is heard."""
        phone = self._phone()
        try:
            phone.GetSIMIMSI()
        except gammu.GSMError as error:
            if type(error).__name__ not in NO_SIM:
                raise
            return {"sim": False}
        found = phone.GetNetworkInfo()
        signal = phone.GetSignalQuality()
        return {
            "sim": True,
            "state": found["State"],
            "operator": found.get("NetworkName") or found.get("NetworkCode") or "",
            "percent": signal["SignalPercent"],
        }

    def _heard(self, machine: Any, kind: str, data: Any) -> None:
        if kind == "USSD":
            self._said.append(str(data["Text"]))

    def _phone(self) -> Any:
        if self._machine is None:
            machine = gammu.StateMachine()
            machine.SetConfig(0, self._config)
            machine.Init()
            self._machine = machine
        return self._machine

    def _hang_up(self) -> None:
        """By hand: python-gammu 3.5.1 dies in CancelCall, reading a number that is not there."""
        if self._config["Model"]:
            return
        line = os.open(self._config["Device"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            for words in HANG_UP:
                os.write(line, words)
                _swallow(line)  # or gammu would take it for the answer to its next question
        finally:
            os.close(line)


def _swallow(line: int) -> None:
    """Read away what the modem says to a command, until its last word or a second is over."""
    said, end = b"", time.monotonic() + HEARD_S
    while not said.rstrip().endswith((b"OK", b"ERROR")) and (left := end - time.monotonic()) > 0:
        if select.select([line], [], [], left)[0]:
            said += os.read(line, 256)


def _end_after(parent: int) -> None:
    """Whoever started us was killed: what is being sent may end, then the stick must be free."""
    while os.getppid() == parent:
        time.sleep(1.0)
    time.sleep(ORPHAN_S)
    os._exit(1)


def main(argv: list[str]) -> None:
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()
    worker = Worker(*argv)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # gammu prints warnings where the answers go
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply: dict[str, Any] = {"ok": worker.answer(request)}
        except gammu.GSMError as error:
            name = type(error).__name__
            detail = error.args[0] if error.args else {}
            text = detail.get("Text", name) if isinstance(detail, dict) else str(detail)
            reply = {"error": f"{text} ({name})", "permanent": name in PERMANENT}
        try:
            print(json.dumps(reply), file=answers, flush=True)
        except BrokenPipeError:  # whoever asked was killed: what was begun has been done
            break
    worker.close()


if __name__ == "__main__":
    main(sys.argv[1:])
