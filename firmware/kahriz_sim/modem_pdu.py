# SPDX-License-Identifier: MIT
"""What a GSM modem is handed and hands out: SMS in PDU mode (3GPP TS 23.040, 23.038).

Written from the standard and without gammu, so that it can judge what gammu sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

# 3GPP TS 23.038, 6.2.1: the basic alphabet; \x1b leads to the extension table
GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~"}
EXTENDED |= {0x3E: "]", 0x40: "|", 0x65: "€"}
BAKU = timezone(timedelta(hours=4))


@dataclass(frozen=True, slots=True)
class Submitted:
    """One SMS-SUBMIT: to whom, its text, its alphabet, which part of how many of what."""

    to: str
    text: str
    alphabet: str  # "gsm7" or "ucs2"
    reference: int | None = None
    parts: int = 1
    part: int = 1

    @property
    def units(self) -> int:
        """Characters as the network counts them: 160 or 70 fit into one part."""
        if self.alphabet == "ucs2":
            return len(self.text.encode("utf-16-be")) // 2
        return sum(2 if c in EXTENDED.values() else 1 for c in self.text)


def submitted(pdu: str) -> Submitted:
    """Read what AT+CMGS was given; ValueError when it is none."""
    data = bytes.fromhex(pdu)
    at = 1 + data[0]  # the service centre
    first = data[at]
    if first & 3 != 1:
        raise ValueError("not an SMS-SUBMIT")
    at += 2  # and the message reference
    digits, kind = data[at], data[at + 1]
    number = _digits(data[at + 2 : at + 2 + (digits + 1) // 2])[:digits]
    at += 2 + (digits + 1) // 2 + 1  # and the protocol identifier
    coding = data[at]
    at += 1 + {0: 0, 2: 1, 1: 7, 3: 7}[first >> 3 & 3]  # and the validity
    length, body = data[at], data[at + 1 :]
    head = body[: body[0] + 1] if first & 0x40 else b""
    ucs2 = coding & 0x0C == 0x08
    if ucs2:
        if length != len(body):
            raise ValueError(f"length {length}, but {len(body)} octets")
        text = body[len(head) :].decode("utf-16-be")
    else:
        skipped = (len(head) * 8 + 6) // 7
        text = _gsm7(_septets(body, length)[skipped:])
    reference, parts, part = _concatenation(head)
    to = ("+" if kind & 0x70 == 0x10 else "") + number
    return Submitted(to, text, "ucs2" if ucs2 else "gsm7", reference, parts, part)


def deliver(sender: str, text: str, at_ms: int) -> str:
    """An SMS-DELIVER as AT+CMGR shows it, in UCS-2."""
    number = sender.lstrip("+")
    padded = number + "F" * (len(number) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    kind = "91" if sender.startswith("+") else "81"
    when = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(BAKU)
    stamp = "".join(f"{n:02d}"[::-1] for n in (when.year % 100, when.month, when.day))
    stamp += "".join(f"{n:02d}"[::-1] for n in (when.hour, when.minute, when.second))
    body = text.encode("utf-16-be")
    if len(body) > 140:
        raise ValueError("more than one part")
    return f"0004{len(number):02X}{kind}{swapped}0008{stamp}61{len(body):02X}{body.hex().upper()}"


def _digits(data: bytes) -> str:
    return "".join(f"{octet & 15:X}{octet >> 4:X}" for octet in data)


def _septets(data: bytes, count: int) -> list[int]:
    bits = int.from_bytes(data, "little")
    return [bits >> 7 * n & 127 for n in range(count)]


def _gsm7(septets: list[int]) -> str:
    out, extended = [], False
    for septet in septets:
        if septet == 0x1B:
            extended = True
            continue
        out.append(EXTENDED.get(septet, "?") if extended else GSM7[septet])
        extended = False
    return "".join(out)


def _concatenation(head: bytes) -> tuple[int | None, int, int]:
    at = 1
    while at + 1 < len(head):
        kind, size = head[at], head[at + 1]
        if kind == 0 and size == 3:
            return head[at + 2], head[at + 3], head[at + 4]
        if kind == 8 and size == 4:
            return head[at + 2] << 8 | head[at + 3], head[at + 4], head[at + 5]
        at += 2 + size
    return None, 1, 1
