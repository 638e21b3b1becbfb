# SPDX-License-Identifier: MIT
"""Texts by the GSM modem, out and in: a village without Internet has this."""

from __future__ import annotations

import hashlib
import time

from kahriz_alarms.channels.modem import INIT_S, Modem
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.fold import ascii_text
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message

SEND_S = INIT_S + 35.0  # a part takes 3 to 10 s on a weak network


class SmsChannel:
    """The first part goes alone; what more there is follows, and its failure loses nothing."""

    name = "sms"

    def __init__(self, modem: Modem, send_s: float = SEND_S) -> None:
        self._modem = modem
        self._send_s = send_s
        self._slots: dict[str, int] = {}

    def send(self, message: Message, to: Person) -> None:
        if to.phone is None:
            raise DeliveryError(f"{to.id} has no telephone number", permanent=True)
        text = ascii_text(message.first) if to.ascii else message.first
        self._modem.ask("text", self._send_s, to=to.phone, text=text, ascii=to.ascii)

    def health(self) -> Health:
        return self._modem.health()

    def receive(self) -> list[Incoming]:
        """What lies on the SIM; each stays there until `done` says that it is stored."""
        found = []
        for row in self._modem.ask("inbox", self._send_s):
            at_ms = row["at"] or round(time.time() * 1000)
            heart = f"{row['from']}|{row['at']}|{row['text']}".encode()
            key = hashlib.sha256(heart).hexdigest()[:32]
            self._slots[key] = row["slot"]
            found.append(Incoming("sms", row["from"], row["text"], at_ms, key))
        return found

    def done(self, incoming: Incoming) -> None:
        """Stored: it may leave the SIM, which holds twenty."""
        slot = self._slots.pop(incoming.key, None)
        if slot is not None:
            self._modem.ask("forget", self._send_s, slot=slot)
