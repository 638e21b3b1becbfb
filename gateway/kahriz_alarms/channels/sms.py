# SPDX-License-Identifier: MIT
"""Texts by the GSM modem, out and in: a village without Internet has this."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable
from typing import Any

from kahriz_alarms.channels.modem import INIT_S, Modem
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.fold import ascii_text
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message, storable

SEND_S = INIT_S + 35.0  # a part takes 3 to 10 s on a weak network
USSD_S = 30.0
SECOND_S = 20.0  # less time than this is left: the second part is not begun


class SmsChannel:
    """The first part alone decides. Of what is urgent or warns the second part follows as a text of
    its own.

    When that one fails nothing is repeated: the same words are the answer to "SU?".
    """

    name = "sms"

    def __init__(
        self,
        modem: Modem,
        send_s: float = SEND_S,
        beat_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._modem = modem
        self._beat_s = beat_s
        self._send_s = send_s
        self._slots: dict[str, int] = {}

    def send(self, message: Message, to: Person) -> None:
        if to.phone is None:
            raise DeliveryError(f"{to.id} has no telephone number", permanent=True)
        end = self._beat_s() + self._send_s
        self._text(to, message.first, self._send_s)
        left = end - self._beat_s()
        wanted = message.urgent or message.warns
        if wanted and message.more and left >= SECOND_S:
            with contextlib.suppress(DeliveryError):  # the modem keeps it in its health
                self._text(to, message.more, left)

    def _text(self, to: Person, text: str, deadline_s: float) -> None:
        words = ascii_text(text) if to.ascii else text
        self._modem.ask("text", deadline_s, to=to.phone, text=words, ascii=to.ascii)

    def health(self) -> Health:
        return self._modem.health()

    def network(self) -> dict[str, Any]:
        """Whether SIM and operator are there: `sim`, `state`, `operator`, `percent`."""
        found: dict[str, Any] = self._modem.ask("network", self._send_s)
        return found

    def ask_operator(self, code: str) -> str:
        """What the operator answers to a USSD code, such as the credit that is left."""
        return str(self._modem.ask("ussd", INIT_S + USSD_S + 5.0, code=code, wait_s=USSD_S))

    def receive(self) -> list[Incoming]:
        """What lies on the SIM; each stays there until `done` says that it is stored."""
        found = []
        for row in self._modem.ask("inbox", self._send_s):
            at_ms = row["at"] or round(time.time() * 1000)
            text = storable(row["text"])
            heart = f"{row['from']}|{row['at']}|{text}".encode()
            key = hashlib.sha256(heart).hexdigest()[:32]
            self._slots[key] = row["slot"]
            found.append(Incoming("sms", row["from"], text, at_ms, key))
        return found

    def done(self, incoming: Incoming) -> None:
        """Stored: it may leave the SIM, which holds twenty."""
        slot = self._slots.pop(incoming.key, None)
        if slot is not None:
            self._modem.ask("forget", self._send_s, slot=slot)
