# SPDX-License-Identifier: MIT
"""A voice call by the GSM modem: it rings twice to wake somebody. A ring is never an answer."""

from __future__ import annotations

from kahriz_alarms.channels.modem import INIT_S, Modem
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message

RING_S = 30.0
TIMES = 2


class CallChannel:
    """Says nothing: the text comes by SMS. Only for what is urgent."""

    name = "call"

    def __init__(self, modem: Modem, ring_s: float = RING_S) -> None:
        self._modem = modem
        self._ring_s = ring_s

    def send(self, message: Message, to: Person) -> None:
        if to.phone is None:
            raise DeliveryError(f"{to.id} has no telephone number", permanent=True)
        for _ in range(TIMES):
            self._modem.ask("ring", INIT_S + self._ring_s, to=to.phone, seconds=self._ring_s)

    def health(self) -> Health:
        return self._modem.health()

    def receive(self) -> list[Incoming]:
        return []

    def done(self, incoming: Incoming) -> None:
        """Nothing comes in by this way."""
