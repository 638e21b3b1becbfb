# SPDX-License-Identifier: MIT
"""A GSM modem that answers AT commands: texts, calls, an inbox, a SIM with credit; hostile if told.

It knows no clock and no wire: bytes in, replies out, each with the seconds that it takes. The
pseudo-terminal is in `modem_pty`, the troubles are in `modem_trouble`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kahriz_sim import modem_pdu
from kahriz_sim.modem_trouble import Trouble

CTRL_Z, ESCAPE = b"\x1a", b"\x1b"
SLOTS = 20
USSD = re.compile(r'AT\+CUSD=1,"?([^",]+)"?')

FIXED = {
    "AT+CGMI": "KAHRIZ",
    "AT+GMI": "KAHRIZ",
    "AT+CGMM": "SIMULATED",
    "AT+GMM": "SIMULATED",
    "AT+CGMR": "1.0",
    "AT+CGSN": "490154203237518",
    "AT+CSQ": "+CSQ: 18,0",
    "AT+CSCS=?": '+CSCS: ("GSM","UCS2","IRA")',
    "AT+CSCS?": '+CSCS: "GSM"',
    "AT+CMGF=?": "+CMGF: (0)",
    "AT+CNMI=?": "+CNMI: (0-2),(0,1),(0),(0),(0)",
    "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")',
    "AT+CSCA?": '+CSCA: "+994502000130",145',
    "AT+CSMS?": "+CSMS: 0,1,1,1",
    "AT+CCLK?": '+CCLK: "26/11/23,10:00:00+16"',
    "AT+CMGF?": "+CMGF: 0",
}
PLAIN = (
    "AT",
    "ATZ",
    "AT&F",
    "ATE1",
    "AT+CMEE=1",
    "AT+CMEE=2",
    "AT+CMGF=0",
    "AT+CUSD=1",
    "AT+CUSD=0",
)
SETTINGS = ("AT+CSCS=", "AT+CNMI=", "AT+CREG=", "AT+CGREG=", "AT+CSMS=")
NEEDS_SIM = ("AT+CPMS", "AT+CMG", "AT+CSCA", "AT+CIMI", "ATD", "AT+CUSD=1,", "AT+CNMI=")


@dataclass
class Call:
    number: str
    ended: str | None = None  # "hung up by us", "no answer", "busy"


@dataclass
class Modem:
    """`credit` is what the network says; `sent` are the parts that it took, in order."""

    trouble: Trouble = field(default_factory=Trouble)
    has_sim: bool = True
    registered: int = 1  # +CREG: 1 home, 2 searching, 3 denied, 5 roaming
    credit: str = "Balans: 4.20 AZN"
    sent: list[modem_pdu.Submitted] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    inbox: dict[int, tuple[str, bool]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    hung: bool = False
    echo: bool = True
    _line: bytes = b""
    _body: bytes | None = None
    _operator_form: int = 0

    def arrive(self, sender: str, text: str, at_ms: int) -> None:
        """Somebody has sent us a text."""
        slot = next(n for n in range(1, SLOTS + 1) if n not in self.inbox)
        self.inbox[slot] = (modem_pdu.deliver(sender, text, at_ms), False)

    def power_cycle(self) -> None:
        """What a person does with a stick that hangs: pull it and plug it in."""
        self.hung, self.echo, self._line, self._body = False, True, b"", None

    def feed(self, data: bytes) -> list[tuple[float, bytes]]:
        """Bytes from the gateway; what goes back, each after so many seconds."""
        out: list[tuple[float, bytes]] = []
        for n in range(len(data)):
            byte = data[n : n + 1]
            if self.hung:
                continue
            if self._body is not None:
                self._text_byte(byte, out)
            elif byte in (b"\r", b"\n"):
                line, self._line = self._line, b""
                if line:
                    out += self._answer(line.decode("latin-1").strip())
            else:
                self._line += byte
        return out

    def _text_byte(self, byte: bytes, out: list[tuple[float, bytes]]) -> None:
        assert self._body is not None
        if byte == ESCAPE:
            self._body = None
            out.append((0.0, b"\r\nOK\r\n"))
        elif byte == CTRL_Z:
            pdu, self._body = self._body.decode("latin-1").strip(), None
            out += self._troubled("SEND", lambda: self._send(pdu), pdu.encode())
        else:
            self._body += byte

    def _answer(self, line: str) -> list[tuple[float, bytes]]:
        self.heard.append(line)
        return self._troubled(line, lambda: self._do(line), line.encode("latin-1") + b"\r")

    def _troubled(self, name: str, do: Callable[[], str], echo: bytes) -> list[tuple[float, bytes]]:
        """The answer, with what goes wrong today."""
        what = self.trouble.strikes(name)
        if what == "hang":
            self.hung = True
            return []
        if what == "lost_sim":
            self.has_sim = False
        if what == "cms_error" and name in ("SEND",):
            return [(0.0, echo), (0.2, b"\r\n+CMS ERROR: 38\r\n")]  # network out of order
        seconds = self.trouble.slow_s if what == "slow" else 0.0
        if what == "lost_answer":  # done, and nobody hears of it: the worst of all
            do()
            self.hung = True
            return []
        reply = do().encode("latin-1")
        if what == "garble":
            reply = bytes(b ^ 0x15 if b > 32 else b for b in reply)
        if what == "no_echo" or not self.echo:
            echo = b""
        return [(0.0, echo), (seconds, reply)]

    def _do(self, line: str) -> str:
        upper = line.upper()
        if not self.has_sim and upper.startswith(NEEDS_SIM):
            return "\r\n+CME ERROR: 10\r\n"  # SIM not inserted
        if upper in FIXED:
            return f"\r\n{FIXED[upper]}\r\n\r\nOK\r\n"
        if upper in PLAIN or upper.startswith(SETTINGS):
            return "\r\nOK\r\n"
        return self._with_state(line, upper)

    def _with_state(self, line: str, upper: str) -> str:
        if upper == "AT+CPIN?":
            return "\r\n+CPIN: READY\r\n\r\nOK\r\n" if self.has_sim else "\r\n+CME ERROR: 10\r\n"
        if upper == "AT+CIMI":
            return "\r\n400010123456789\r\n\r\nOK\r\n"
        if upper in ("AT+CREG?", "AT+CGREG?"):
            state = self.registered if self.has_sim else 0
            where = ',"00B1","1A2B"' if state in (1, 5) else ""
            return f"\r\n{upper[2:-1]}: 2,{state}{where}\r\n\r\nOK\r\n"
        if upper == "AT+CGATT?":
            return f"\r\n+CGATT: {int(self.registered in (1, 5))}\r\n\r\nOK\r\n"
        if upper.startswith("AT+COPS"):
            return self._operator(upper)
        if upper.startswith("AT+CPMS"):
            n = len(self.inbox)
            text = f'"SM",{n},{SLOTS}' if upper.endswith("?") else f"{n},{SLOTS}"
            return f"\r\n+CPMS: {','.join([text] * 3)}\r\n\r\nOK\r\n"
        if upper.startswith("AT+CMGS="):
            self._body = b""
            return "\r\n> "
        if upper.startswith(("AT+CMGL", "AT+CMGR", "AT+CMGD")):
            return self._inbox(upper)
        if upper.startswith("ATD"):
            self.calls.append(Call(line[3:].lstrip("TtPp").rstrip(";")))
            return "\r\nOK\r\n"
        if upper in ("ATH", "AT+CHUP", "AT+CHLD=0", "AT+CHLD=1"):
            for call in self.calls:
                call.ended = call.ended or "hung up by us"
            return "\r\nOK\r\n"
        if USSD.match(line):
            return "\r\nOK\r\n\r\n" + self._ussd()
        return "\r\nERROR\r\n"

    def _operator(self, upper: str) -> str:
        """`AT+COPS=3,2` asks for numbers from then on, `AT+COPS=3,0` for the long name."""
        if "?" not in upper:
            if upper.startswith("AT+COPS=3,"):
                self._operator_form = int(upper[10:])
            return "\r\nOK\r\n"
        if self.registered not in (1, 5) or not self.has_sim:
            return "\r\n+COPS: 0\r\n\r\nOK\r\n"
        name = "40001" if self._operator_form == 2 else "Azercell"
        return f'\r\n+COPS: 0,{self._operator_form},"{name}"\r\n\r\nOK\r\n'

    def _ussd(self) -> str:
        """What no alphabet of seven bits holds comes in UCS-2 (coding 72); 4 is "not supported"."""
        if self.registered not in (1, 5):
            return "+CUSD: 4\r\n"
        if self.credit.isascii():
            return f'+CUSD: 0,"{self.credit}",15\r\n'
        return f'+CUSD: 0,"{self.credit.encode("utf-16-be").hex().upper()}",72\r\n'

    def _inbox(self, upper: str) -> str:
        if upper.startswith("AT+CMGL"):
            rows = [
                f"+CMGL: {slot},{int(read)},,{len(pdu) // 2 - 1}\r\n{pdu}\r\n"
                for slot, (pdu, read) in sorted(self.inbox.items())
            ]
            return "\r\n" + "".join(rows) + "\r\nOK\r\n"
        slot = int(re.findall(r"\d+", upper)[0])
        if slot not in self.inbox:
            return "\r\nOK\r\n" if upper.startswith("AT+CMGD") else "\r\n+CMS ERROR: 321\r\n"
        if upper.startswith("AT+CMGD"):
            del self.inbox[slot]
            return "\r\nOK\r\n"
        pdu, read = self.inbox[slot]
        self.inbox[slot] = (pdu, True)
        return f"\r\n+CMGR: {int(read)},,{len(pdu) // 2 - 1}\r\n{pdu}\r\n\r\nOK\r\n"

    def _send(self, pdu: str) -> str:
        if not self.has_sim:
            return "\r\n+CMS ERROR: 310\r\n"
        if self.registered not in (1, 5):
            return "\r\n+CMS ERROR: 331\r\n"  # no network service
        try:
            self.sent.append(modem_pdu.submitted(pdu))
        except (ValueError, IndexError, KeyError):
            return "\r\n+CMS ERROR: 304\r\n"  # invalid PDU mode parameter
        return f"\r\n+CMGS: {len(self.sent) % 256}\r\n\r\nOK\r\n"
